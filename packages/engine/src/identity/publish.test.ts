import { deepEqual, equal, ok } from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { type PodEnvironment, silentLog } from "kube-runtime";
import { type Credentials, publishCredentials } from "./publish.ts";
import { makeSelfSigned } from "./self-signed.ts";

/** The engine's side: keys are numbered, and only the last one of a name is valid. */
function engineWithKeys() {
  const valid = new Map<string, string>();
  let issued = 0;
  return {
    url: "https://engine",
    caPem: "CA",
    isValid: (key: string) => [...valid.values()].includes(key),
    issue: (name: string) => {
      issued += 1;
      valid.set(name, `1.key${issued}`);
      return `1.key${issued}`;
    },
    valid,
  };
}

/** An API server that holds Secrets by namespace and takes merge patches of those that exist. */
async function startApi() {
  const stack = new AsyncDisposableStack();
  const made = makeSelfSigned("api", ["localhost"], new Date(), new Date(Date.now() + 86_400_000));
  const secrets = new Map<string, Record<string, string>>();
  const seen: string[] = [];
  const calls = new EventEmitter();
  const server = createServer(made, (request, response) => {
    const respond = async (): Promise<void> => {
      const [, namespace = ""] = /^\/api\/v1\/namespaces\/(.*)\/secrets\/delphix-creds(?:\?|$)/u.exec(request.url ?? "") ?? [];
      const sent = await text(request);
      const body: { data?: Record<string, string> } = sent === "" ? {} : JSON.parse(sent);
      seen.push(`${request.method} ${namespace} ${request.headers.authorization} ${request.headers["content-type"]}`);
      const secret = secrets.get(namespace);
      if (secret !== undefined) Object.assign(secret, body.data);
      response
        .writeHead(secret === undefined ? 404 : 200)
        .end(
          JSON.stringify(secret === undefined ? { message: "not found" } : { metadata: { name: "delphix-creds" }, data: secret }),
        );
      calls.emit("call");
    };
    void respond();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stack.defer(() => void server.close());
  const folder = await mkdtemp(join(tmpdir(), "account-"));
  stack.defer(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "token"), "t0ken\n");
  await writeFile(join(folder, "namespace"), "engine");
  await writeFile(join(folder, "ca.crt"), made.cert);
  const address = server.address();
  const port = String(typeof address === "object" && address !== null ? address.port : 0);
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await once(calls, "call");
  };
  return { pod: { host: "localhost", port, folder }, secrets, seen, until, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Gives back how to stop it: it goes on for ever, also when the test has failed. */
function startPublishing(pod: PodEnvironment, credentials: Credentials): () => Promise<void> {
  const stopping = new AbortController();
  const namespaces = ["early", "late"];
  const done = publishCredentials({ pod, namespaces, credentials, log: silentLog, signal: stopping.signal, againMs: 50 });
  return async () => {
    stopping.abort();
    await done;
  };
}

test("each namespace's Secret is filled with a key of its own, a late one as soon as it is there, and what somebody changed is mended", async (t) => {
  await using server = await startApi();
  const { pod, secrets, seen, until } = server;
  const engine = engineWithKeys();
  const keyIn = (namespace: string): string => atob(secrets.get(namespace)?.["DCT_KEY"] ?? "");
  secrets.set("early", { other: "kept" });
  t.after(startPublishing(pod, engine));
  await until(() => keyIn("early") !== "" && seen.some((line) => line.includes("late")));
  deepEqual(secrets.get("early"), {
    other: "kept",
    DCT_URL: btoa("https://engine"),
    DCT_KEY: btoa("1.key1"),
    "ca.crt": btoa("CA"),
  });
  secrets.set("late", {});
  await until(() => keyIn("late") !== "");
  deepEqual(
    [...engine.valid],
    [
      ["early/delphix-creds", "1.key1"],
      ["late/delphix-creds", "1.key2"],
    ],
  );
  secrets.set("early", { ...secrets.get("early"), DCT_URL: "spoiled" });
  await until(() => atob(secrets.get("early")?.["DCT_URL"] ?? "") === "https://engine");
  equal(keyIn("early"), "1.key1", "a valid key stays");
  engine.valid.delete("early/delphix-creds");
  await until(() => keyIn("early") === "1.key3");
  equal(keyIn("late"), "1.key2", "the key of another namespace has nothing to do with it");
  engine.valid.set("somebody's", "1.own");
  secrets.set("early", { ...secrets.get("early"), DCT_KEY: btoa("1.own") });
  const calls = seen.length;
  await until(() => seen.length > calls + 4);
  equal(keyIn("early"), "1.own", "an administrator may put another valid key there");
  ok(seen.includes("PATCH early Bearer t0ken application/merge-patch+json"), seen.join("\n"));
});
