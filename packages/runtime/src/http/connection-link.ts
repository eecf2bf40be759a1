import type { Connection } from "../connection/connection.ts";
import { dialTls } from "./dial.ts";
import { http1Link } from "./http1-link.ts";
import { type Http2Session, startHttp2Session } from "./http2-session.ts";
import type { HttpLink } from "./link.ts";

/**
 * The way to the API server of a connection: HTTP/2 where the server offers it, else HTTP/1.1.
 *
 * Guarantees: one request is sent at most once; a connection is made anew with the credentials of that moment, so a rotated
 * client certificate is taken up with the next connection (and at the latest when `maxAgeMs` is over).
 */
export function connectionLink(connection: Connection): HttpLink {
  const state: State = { sessions: new Set(), dialing: undefined, plain: undefined, closed: false };
  return {
    send: async (request, signal) => {
      for (;;) {
        const session = await usableSession(connection, state);
        signal.throwIfAborted();
        if (session === undefined) return (await plainLink(connection, state)).send(request, signal);
        // Others waited for the same connection: a stream too many would lie in a queue, past its `beforeSend`.
        if (session.usable()) return session.send(request, signal);
      }
    },
    close: async () => {
      state.closed = true;
      for (const session of state.sessions) session.destroy(new Error("the client is closed"));
      await (await state.plain)?.close();
    },
  };
}

/** New requests go to a new connection after this long, so that rotated certificates and changed backends are taken up. */
const maxAgeMs = 15 * 60_000;

interface State {
  readonly sessions: Set<Http2Session>;
  /** The one connection being opened: all who need one wait for it. */
  dialing: Promise<Http2Session | undefined> | undefined;
  /** Set once the server turned out not to speak HTTP/2. */
  plain: Promise<HttpLink> | undefined;
  closed: boolean;
}

/** Undefined: this server speaks HTTP/1.1 alone. */
async function usableSession(connection: Connection, state: State): Promise<Http2Session | undefined> {
  for (;;) {
    if (state.closed) throw new Error("the client is closed");
    if (state.plain !== undefined || connection.server.protocol === "http:") return undefined;
    const session = [...state.sessions].find((candidate) => candidate.usable());
    if (session !== undefined) return session;
    state.dialing ??= dialSession(connection, state).finally(() => {
      state.dialing = undefined;
    });
    if ((await state.dialing) === undefined) return undefined;
  }
}

async function dialSession(connection: Connection, state: State): Promise<Http2Session | undefined> {
  const socket = await dialTls(connection.server, await connection.tls());
  if (state.closed) socket.destroy();
  if (socket.alpnProtocol !== "h2") {
    socket.destroy();
    void plainLink(connection, state);
    return undefined;
  }
  const session = startHttp2Session(socket, connection.server, () => {
    clearTimeout(old);
    state.sessions.delete(session);
  });
  const old = setTimeout(() => session.drain(), maxAgeMs).unref();
  state.sessions.add(session);
  return session;
}

function plainLink(connection: Connection, state: State): Promise<HttpLink> {
  const { server } = connection;
  state.plain ??= (async () => http1Link(server, server.protocol === "https:" ? await connection.tls() : undefined))();
  return state.plain;
}
