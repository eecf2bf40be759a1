import type { Connection, TlsSettings } from "../connection/connection.ts";
import { untilAborted } from "../support/until-aborted.ts";
import { dialTls } from "./dial.ts";
import type { Http1Link } from "./http1-link.ts";
import { defaultLookMs, type Http2Session, startHttp2Session } from "./http2-session.ts";
import type { HttpLink } from "./link.ts";

/** How long connections are used, and how soon a dead one is found. */
export interface LinkTimes {
  /** New requests go to a new connection after this long, so that changed backends are taken up; 15 minutes. */
  readonly maxAgeMs: number;
  /** How often, at most, the certificates are compared with those of the connections there are; 10 s. */
  readonly certificateCheckMs: number;
  /** How often each HTTP/2 connection is looked at for silence; 5 s. */
  readonly lookMs: number;
}

const defaultTimes: LinkTimes = { maxAgeMs: 15 * 60_000, certificateCheckMs: 10_000, lookMs: defaultLookMs };

/**
 * The way to the API server of a connection: HTTP/2 where the server offers it, else HTTP/1.1.
 *
 * Guarantees: one request is sent at most once; no request goes on a connection that was made with other certificates than
 * those of now (looked at every 10 s) or that is older than 15 minutes. What runs on such a connection runs on.
 */
export function connectionLink(connection: Connection, times: Partial<LinkTimes> = {}): HttpLink {
  const state: State = {
    times: { ...defaultTimes, ...times },
    sessions: new Set(),
    dialing: undefined,
    plain: undefined,
    madeWith: undefined,
    checkedMs: -Infinity,
    closed: false,
  };
  return {
    send: async (request, signal) => {
      for (;;) {
        const link = await untilAborted(usableLink(connection, state), signal);
        signal.throwIfAborted();
        // Others waited for the same connection: a stream too many would lie in a queue, past its `beforeSend`.
        if (!("usable" in link) || link.usable()) return link.send(request, signal);
      }
    },
    close: async () => {
      state.closed = true;
      for (const session of state.sessions) session.destroy(new Error("the client is closed"));
      await state.plain?.close();
    },
  };
}

interface State {
  readonly times: LinkTimes;
  /** All that still live, also those that take nothing new. */
  readonly sessions: Set<Http2Session>;
  /** The one connection being opened: all who need one wait for it. */
  dialing: Promise<void> | undefined;
  /** Set once the server turned out not to speak HTTP/2. */
  plain: Http1Link | undefined;
  /** The settings of the connections there are, to be compared. */
  madeWith: string | undefined;
  checkedMs: number;
  closed: boolean;
}

async function usableLink(connection: Connection, state: State): Promise<Http2Session | Http1Link> {
  await retireOutdated(connection, state);
  for (;;) {
    if (state.closed) throw new Error("the client is closed");
    if (state.plain !== undefined) return state.plain;
    const session = [...state.sessions].find((candidate) => candidate.usable());
    if (session !== undefined) return session;
    state.dialing ??= dial(connection, state).finally(() => {
      state.dialing = undefined;
    });
    await state.dialing;
  }
}

/** The API server knows us by the certificate of the connection: another certificate wants another connection. */
async function retireOutdated(connection: Connection, state: State): Promise<void> {
  const now = performance.now();
  if (state.madeWith === undefined || now - state.checkedMs < state.times.certificateCheckMs) return;
  state.checkedMs = now;
  const settings = await connection.tls().catch(() => undefined); // a file being replaced: what works goes on
  if (settings !== undefined && JSON.stringify(settings) !== state.madeWith) retireAll(state);
}

function retireAll(state: State): void {
  for (const session of state.sessions) session.drain();
  state.plain?.drain();
  state.plain = undefined;
}

async function dial(connection: Connection, state: State): Promise<void> {
  const { server } = connection;
  if (server.protocol === "http:") return await usePlain(state, server, undefined);
  const settings = await connection.tls();
  state.madeWith = JSON.stringify(settings);
  state.checkedMs = performance.now();
  const socket = await dialTls(server, settings);
  if (socket.alpnProtocol === "h2" && !state.closed) return useSession(state, server, socket);
  socket.destroy();
  await usePlain(state, server, settings);
}

function useSession(state: State, server: URL, socket: Awaited<ReturnType<typeof dialTls>>): void {
  const session = startHttp2Session(socket, server, state.times.lookMs, () => {
    clearTimeout(old);
    state.sessions.delete(session);
  });
  const old = setTimeout(() => session.drain(), state.times.maxAgeMs).unref();
  state.sessions.add(session);
}

async function usePlain(state: State, server: URL, settings: TlsSettings | undefined): Promise<void> {
  const { http1Link } = await import("./http1-link.ts"); // undici is a megabyte, and hardly any API server needs it
  if (state.closed) return;
  const link = http1Link(server, settings);
  state.plain = link;
  setTimeout(() => {
    if (state.plain !== link) return;
    link.drain();
    state.plain = undefined; // made anew with the credentials of then
  }, state.times.maxAgeMs).unref();
}
