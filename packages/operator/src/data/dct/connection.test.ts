import { deepEqual, equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { type DctClient, DctError } from "@vdb/dct";
import type { Client, Secret } from "kube-runtime";
import { createDctConnection, DctNotConfigured } from "./connection.ts";

const signal = new AbortController().signal;

/** A connection over a Secret that the test changes; `connected` lists the keys that clients were made with. */
function aConnection(first: Record<string, string> | undefined) {
  const state = { data: first, reads: 0, connected: [] as string[], nowMs: 0 };
  const find = async (): Promise<Secret | undefined> => {
    state.reads += 1;
    if (state.data === undefined) return undefined;
    const data = Object.fromEntries(
      Object.entries(state.data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
    );
    return {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s", uid: "u", resourceVersion: "1", creationTimestamp: "" },
      data,
    };
  };
  const connection = createDctConnection({
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it reads one Secret and nothing else
    client: { find } as unknown as Client,
    secret: { namespace: "pg-operator", name: "delphix-creds" },
    now: () => state.nowMs,
    connect: ({ apiKey }) => {
      state.connected.push(apiKey);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only told apart, never called
      return { key: apiKey, [Symbol.asyncDispose]: async () => undefined } as unknown as DctClient;
    },
  });
  return { state, connection };
}

const creds = (key: string): Record<string, string> => ({ DCT_URL: "https://dct.test", DCT_KEY: key });
const keyOf = (client: DctClient): string => String(Object.entries(client).find(([name]) => name === "key")?.[1]);

test("one client serves all, and the Secret is not read for each call", async () => {
  const { state, connection } = aConnection(creds("a"));
  for (let call = 0; call < 5; call += 1) equal(await connection.call(async (client) => keyOf(client), signal), "a");
  deepEqual([state.reads, state.connected], [1, ["a"]]);
});

test("a changed Secret is seen after a while, and at once when the key is refused", async () => {
  const { state, connection } = aConnection(creds("a"));
  await connection.call(async () => undefined, signal);
  state.data = creds("b");
  state.nowMs = 31_000;
  equal(await connection.call(async (client) => keyOf(client), signal), "b");
  state.data = creds("c");
  const answer = await connection.call(async (client) => {
    if (keyOf(client) !== "c") throw new DctError("unauthorized", "refused");
    return keyOf(client);
  }, signal);
  equal(answer, "c");
});

test("a refused key that is still the Secret's is a failure, not a loop", async () => {
  const { state, connection } = aConnection(creds("a"));
  let calls = 0;
  const refuse = connection.call(async () => {
    calls += 1;
    throw new DctError("unauthorized", "refused");
  }, signal);
  await rejects(refuse, /refused/u);
  deepEqual([calls, state.connected], [1, ["a"]]);
});

test("without credentials there is no DCT, and each call looks again", async () => {
  const { state, connection } = aConnection(undefined);
  const call = () => connection.call(async (client) => keyOf(client), signal);
  await rejects(call, DctNotConfigured);
  state.data = { DCT_URL: "https://dct.test" };
  await rejects(call, /no DCT_KEY yet/u);
  state.data = creds("a");
  equal(await call(), "a");
});
