import { deepEqual, equal, rejects } from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createDctClient, type DctClient } from "./client.ts";
import { createDctConnection, type DctConnection } from "./connection.ts";
import { type Credentials, DctNotConfigured } from "./credentials.ts";

const signal = new AbortController().signal;

/** A real server: it says which key asks, admits some, and holds an answer back until the test lets it go. */
async function startServer() {
  const state = {
    admitted: new Set(["a", "b", "c"]),
    asked: [] as string[],
    held: new Map<string, PromiseWithResolvers<void>>(),
  };
  const keyOfSocket = new Map<Socket, string>();
  const server = createServer((request, response) => {
    const key = (request.headers.authorization ?? "").replace("apk ", "");
    if (!keyOfSocket.has(request.socket)) request.socket.once("close", () => keyOfSocket.delete(request.socket));
    keyOfSocket.set(request.socket, key);
    const answer = async (): Promise<void> => {
      if (request.url?.includes("/jobs/") === true) {
        state.asked.push(key);
        await state.held.get(key)?.promise;
      }
      const [status, body] = state.admitted.has(key)
        ? [200, { id: key, status: "RUNNING", items: [] }]
        : [401, { message: "no such key" }];
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    void answer();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    state,
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    /** Until no client with this key is connected any more. */
    left: async (key: string) => {
      while ([...keyOfSocket.values()].includes(key)) await turn();
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

interface Secret {
  key: string | undefined;
  reads: number;
  /** When set, a read waits for it before it answers what was true when it began. */
  slow: Promise<void> | undefined;
}

function connectionTo(url: string, secret: Secret, now: () => number = () => 0) {
  const state = { made: 0, open: 0 };
  const read = async (): Promise<Credentials> => {
    secret.reads += 1;
    const { key, slow } = secret;
    await slow;
    if (key === undefined) throw new DctNotConfigured("Secret s does not exist");
    return { url, apiKey: key };
  };
  const connect = (credentials: Credentials): DctClient => {
    state.made += 1;
    state.open += 1;
    const client = createDctClient(credentials);
    const end = async (): Promise<void> => {
      state.open -= 1;
      await client[Symbol.asyncDispose]();
    };
    return { ...client, [Symbol.asyncDispose]: end };
  };
  return Object.assign(state, { connection: createDctConnection({ read, connect, now }) });
}

const aSecret = (key: string | undefined): Secret => ({ key, reads: 0, slow: undefined });
/** Which key the server was asked with. */
const ask = ({ call }: DctConnection): Promise<string | undefined> =>
  call(async (dct) => (await dct.getJob("1", { signal }))?.id, signal);

test("one client serves all, and the Secret is not read for each call", async () => {
  await using server = await startServer();
  const secret = aSecret("a");
  const to = connectionTo(server.url, secret);
  await using connection = to.connection;
  for (let call = 0; call < 5; call += 1) equal(await ask(connection), "a");
  deepEqual([secret.reads, to.made], [1, 1]);
});

test("a changed Secret is seen after a while, and at once when the key is refused", async () => {
  await using server = await startServer();
  const secret = aSecret("a");
  let nowMs = 0;
  await using connection = connectionTo(server.url, secret, () => nowMs).connection;
  await ask(connection);
  secret.key = "b";
  equal(await ask(connection), "a", "believed for now");
  nowMs = 31_000;
  equal(await ask(connection), "b");
  secret.key = "c";
  server.state.admitted.delete("b");
  equal(await ask(connection), "c");
});

test("a refused key that is still the Secret's is a failure, not a loop", async () => {
  await using server = await startServer();
  const secret = aSecret("wrong");
  const to = connectionTo(server.url, secret);
  await using connection = to.connection;
  await rejects(ask(connection), /no such key/u);
  deepEqual([secret.reads, to.made], [2, 1]);
});

test("without credentials there is no DCT, and each call looks again", async () => {
  await using server = await startServer();
  const secret = aSecret(undefined);
  await using connection = connectionTo(server.url, secret).connection;
  await rejects(ask(connection), DctNotConfigured);
  secret.key = "a";
  equal(await ask(connection), "a");
});

test("a call under way keeps its client when another call changes to new credentials", async () => {
  await using server = await startServer();
  const secret = aSecret("a");
  let nowMs = 0;
  const to = connectionTo(server.url, secret, () => nowMs);
  await using connection = to.connection;
  const held = Promise.withResolvers<void>();
  server.state.held.set("a", held);
  const slow = ask(connection);
  while (server.state.asked.length === 0) await turn();
  secret.key = "b";
  nowMs = 31_000;
  equal(await ask(connection), "b");
  equal(to.open, 2, "the old client is still lent");
  held.resolve();
  equal(await slow, "a", "not cut off");
  equal(to.open, 1, "its last call over, the old client is closed");
  await server.left("a");
});

test("callers who see new credentials at the same time connect once", async () => {
  await using server = await startServer();
  const secret = aSecret("a");
  let nowMs = 0;
  const to = connectionTo(server.url, secret, () => nowMs);
  await using connection = to.connection;
  await ask(connection);
  secret.key = "b";
  nowMs = 31_000;
  deepEqual(
    await Promise.all(Array.from({ length: 8 }, () => ask(connection))),
    Array.from({ length: 8 }, () => "b"),
  );
  deepEqual([to.made, to.open], [2, 1]);
});

test("a slow answer of the API server does not bring old credentials back", async () => {
  await using server = await startServer();
  const secret = aSecret("a");
  const to = connectionTo(server.url, secret);
  await using connection = to.connection;
  const late = Promise.withResolvers<void>();
  secret.slow = late.promise;
  const first = ask(connection);
  Object.assign(secret, { key: "b", slow: undefined });
  equal(await ask(connection), "b");
  late.resolve();
  equal(await first, "b");
  equal(to.open, 1);
});

test("closed, it ends every client, those lent out too, and makes no new one", async () => {
  await using server = await startServer();
  const secret = aSecret("a");
  const to = connectionTo(server.url, secret);
  server.state.held.set("a", Promise.withResolvers<void>());
  const slow = rejects(ask(to.connection), /is closed/u);
  while (server.state.asked.length === 0) await turn();
  await to.connection[Symbol.asyncDispose]();
  await slow;
  equal(to.open, 0);
  await server.left("a");
  await rejects(ask(to.connection), /is closed/u);
  deepEqual([to.made, to.open], [1, 0]);
});
