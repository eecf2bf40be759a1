import { equal, ok, rejects } from "node:assert/strict";
import { once } from "node:events";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from "node:http2";
import { createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { isApiError } from "../client/api-error.ts";
import { createClient } from "../client/create-client.ts";
import { httpApi } from "../client/http-api.ts";
import type { Connection } from "../connection/connection.ts";
import { tokenConnection } from "../connection/token-connection.ts";
import { configMaps } from "../kinds/core.ts";
import { createFence, fencedApi } from "../leader/fence.ts";
import { systemClock } from "../support/clock.ts";
import { DeadlineError } from "../support/deadline.ts";
import { selfSignedCertificate } from "../testing/certificate.ts";
import { startTcpProxy, type TcpProxy } from "../testing/tcp-proxy.ts";
import { connectionLink, type LinkTimes } from "./connection-link.ts";
import type { HttpLink } from "./link.ts";

interface Bench {
  readonly connection: Connection;
  readonly tcp: TcpProxy;
  readonly sessions: readonly ServerHttp2Session[];
  readonly paths: readonly string[];
  readonly link: (times: Partial<LinkTimes>, as?: Connection) => HttpLink;
}

/** An HTTP/2 server behind a network that can go silent. */
async function bench(
  t: TestContext,
  serve: (request: Http2ServerRequest, response: Http2ServerResponse) => void,
): Promise<Bench> {
  const { key, cert } = await selfSignedCertificate();
  const sessions: ServerHttp2Session[] = [];
  const paths: string[] = [];
  const server = createSecureServer({ key, cert }, (request, response) => {
    paths.push(request.url);
    serve(request, response);
  });
  server.on("session", (session) => sessions.push(session));
  server.on("sessionError", () => undefined); // connections are cut on purpose
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const tcp = await startTcpProxy(address !== null && typeof address === "object" ? address.port : 0);
  const connection = tokenConnection({ server: new URL(`https://127.0.0.1:${tcp.port}`), token: "secret", ca: cert });
  const links: HttpLink[] = [];
  t.after(async () => {
    for (const link of links) await link.close();
    await tcp[Symbol.asyncDispose]();
    for (const session of sessions) session.destroy();
    server.close();
  });
  return {
    connection,
    tcp,
    sessions,
    paths,
    link: (times, as = connection) => {
      const link = connectionLink(as, times);
      links.push(link);
      return link;
    },
  };
}

const get = { method: "GET", path: "/watch", headers: {} };
/** Answers and goes on: a watch. `/once` is answered whole, `/never` not at all. */
const watching = ({ url }: Http2ServerRequest, response: Http2ServerResponse): void => {
  if (url === "/never") return;
  response.write("{}\n");
  if (url === "/once") response.end();
};

/** Opens a watch; gives its end as an error. */
async function openWatch(link: HttpLink, signal: AbortSignal): Promise<{ readonly ended: Promise<unknown> }> {
  const { body } = await link.send(get, signal);
  const read = async (): Promise<unknown> => {
    try {
      for await (const chunk of body) ok(chunk.length > 0);
      return "ended in good order";
    } catch (error) {
      return error;
    }
  };
  return { ended: read() };
}

/** As good as for ever: a busy machine is slow, and what hangs would hang for good. */
const patienceMs = 30_000;

async function within<T>(ms: number, promise: Promise<T>): Promise<T | "too late"> {
  const over = new AbortController();
  try {
    return await Promise.race([promise, delay(ms, "too late" as const, { signal: over.signal })]);
  } finally {
    over.abort();
  }
}

/** A request that meets a server's farewell on the way is refused by it, and the next one has a new connection. */
async function untilRetired({ sessions }: Bench, link: HttpLink, why: string): Promise<void> {
  const signal = AbortSignal.timeout(patienceMs);
  while (sessions.length < 2) {
    ok(!signal.aborted, `${why}: not retired`);
    await link.send({ ...get, path: "/once" }, signal).catch(() => undefined);
    await delay(10);
  }
  equal(sessions.length, 2);
}

test("a watch on a connection that is not used for new requests any more still ends when that connection goes dead", async (t) => {
  const retire: Record<string, (at: Bench) => void> = {
    "GOAWAY of the server": ({ sessions }) => sessions[0]?.goaway(),
    "its age": () => undefined,
  };
  for (const [why, strike] of Object.entries(retire)) {
    const at = await bench(t, watching);
    const link = at.link({ lookMs: 30, maxAgeMs: why === "its age" ? 50 : 60_000 });
    const { ended } = await openWatch(link, t.signal);
    strike(at);
    await untilRetired(at, link, why);
    at.tcp.blackHole();
    const error = await within(patienceMs, ended);
    ok(error instanceof Error, `${why}: the watch hangs: ${String(error)}`);
  }
});

test("closing ends what runs on retired connections too", async (t) => {
  const at = await bench(t, watching);
  const link = at.link({ maxAgeMs: 20 });
  const { ended } = await openWatch(link, t.signal);
  await delay(80);
  await link.close();
  ok((await within(patienceMs, ended)) instanceof Error);
});

test("other certificates are taken up by the next request; what runs goes on", async (t) => {
  const at = await bench(t, watching);
  const tls = { ...(await at.connection.tls()), servername: "a.example" };
  const rejectUnauthorized = false;
  const state = { tls: { ...tls, rejectUnauthorized } };
  const link = at.link({ certificateCheckMs: 0 }, { ...at.connection, tls: async () => state.tls });
  const { ended } = await openWatch(link, t.signal);
  await link.send({ ...get, path: "/once" }, t.signal);
  equal(at.sessions.length, 1, "the same certificates are no reason for a new connection");
  state.tls = { ...state.tls, servername: "b.example" };
  await link.send({ ...get, path: "/once" }, t.signal);
  equal(at.sessions.length, 2);
  equal(await within(50, ended), "too late", "the watch was cut");
});

test("a request that timed out in silence leaves a new connection for the next", async (t) => {
  const at = await bench(t, watching);
  const link = at.link({ lookMs: 60_000 });
  await link.send({ ...get, path: "/once" }, t.signal);
  await delay(50); // nothing is under way any more
  at.tcp.blackHole();
  const late = new AbortController();
  setTimeout(() => late.abort(new DeadlineError("renewing took too long")), 50);
  await rejects(link.send({ ...get, path: "/once" }, late.signal), DeadlineError);
  const answer = await within(patienceMs, link.send({ ...get, path: "/once" }, t.signal));
  ok(answer !== "too late" && answer.status === 200);
});

test("a request that timed out on a connection that lives changes nothing", async (t) => {
  const at = await bench(t, watching);
  const link = at.link({});
  await link.send({ ...get, path: "/once" }, t.signal);
  const late = new AbortController();
  setTimeout(() => late.abort(new DeadlineError("took too long")), 60);
  const slow = rejects(link.send({ ...get, path: "/never" }, late.signal), DeadlineError);
  await link.send({ ...get, path: "/once" }, t.signal);
  await slow;
  await link.send({ ...get, path: "/once" }, t.signal);
  equal(at.sessions.length, 1);
});

test("an abort ends the wait for a connection, and for credentials, that never come", async () => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = silent.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const connection = tokenConnection({ server: new URL(`https://127.0.0.1:${port}`), token: "x", ca: "" });
  const never = new Promise<never>(() => undefined);
  const hanging = [connection, { ...connection, tls: () => never }, { ...connection, headers: () => never }];
  for (const one of hanging) {
    const api = httpApi(one);
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("enough")), 20);
    const got = createClient(api, { fieldManager: "t" }).get(configMaps, { namespace: "n", name: "m" }, stop.signal);
    await rejects(within(patienceMs, got), /enough/u);
    await api.close();
  }
  silent.close();
});

test("the fence closes while the connection is being opened: the server is asked nothing", async (t) => {
  const at = await bench(t, watching);
  const fence = createFence(systemClock);
  fence.openUntil(Infinity);
  const slow = { ...at.connection, tls: async () => (await delay(50), fence.close(), at.connection.tls()) };
  const api = httpApi(slow);
  t.after(() => api.close());
  const client = createClient(fencedApi(api, fence), { fieldManager: "t" });
  await rejects(client.create(configMaps, { metadata: { namespace: "n", name: "m" } }, t.signal), (error: unknown) =>
    isApiError(error, "fenced"),
  );
  await delay(50);
  equal(at.sessions.length, 1, "no connection was opened, so nothing was shown");
  equal(at.paths.length, 0, "the request arrived");
});
