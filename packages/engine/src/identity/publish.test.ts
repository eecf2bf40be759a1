import { deepEqual, ok } from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { type PodEnvironment, silentLog } from "kube-runtime";
import { publishCredentials } from "./publish.ts";
import { makeSelfSigned } from "./self-signed.ts";

const credentials = { url: "https://engine", apiKey: "1.key", caPem: "CA" };
const encoded = { DCT_URL: btoa("https://engine"), DCT_KEY: btoa("1.key"), "ca.crt": btoa("CA") };

/** An API server that holds Secrets by namespace and takes merge patches of those that exist. */
async function startApi() {
  const stack = new AsyncDisposableStack();
  const made = makeSelfSigned("api", ["localhost"], new Date(), new Date(Date.now() + 86_400_000));
  const secrets = new Map<string, Record<string, string>>();
  const seen: string[] = [];
  const calls = new EventEmitter();
  const server = createServer(made, (request, response) => {
    const respond = async (): Promise<void> => {
      const [, namespace = ""] = /^\/api\/v1\/namespaces\/(.*)\/secrets\/delphix-creds\?/u.exec(request.url ?? "") ?? [];
      const body: { data: Record<string, string> } = JSON.parse(await text(request));
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
function startPublishing(pod: PodEnvironment): () => Promise<void> {
  const stopping = new AbortController();
  const namespaces = ["early", "late"];
  const done = publishCredentials({ pod, namespaces, credentials, log: silentLog, signal: stopping.signal, againMs: 50 });
  return async () => {
    stopping.abort();
    await done;
  };
}

test("each namespace's Secret is filled, a late one as soon as it is there, and what somebody changed is mended", async (t) => {
  await using server = await startApi();
  const { pod, secrets, seen, until } = server;
  secrets.set("early", { other: "kept" });
  t.after(startPublishing(pod));
  await until(() => secrets.get("early")?.["DCT_KEY"] !== undefined && seen.some((line) => line.includes("late")));
  deepEqual(secrets.get("early"), { other: "kept", ...encoded });
  secrets.set("late", {});
  await until(() => secrets.get("late")?.["DCT_KEY"] !== undefined);
  secrets.set("early", { DCT_KEY: "spoiled" });
  await until(() => secrets.get("early")?.["DCT_KEY"] === encoded.DCT_KEY);
  ok(seen.includes("PATCH early Bearer t0ken application/merge-patch+json"), seen.join("\n"));
});
