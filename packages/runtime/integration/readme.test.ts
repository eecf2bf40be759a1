import { equal, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  configMaps,
  createClient,
  customResourceDefinitions,
  defineResource,
  httpApi,
  isApiError,
  type KubeObject,
} from "../src/index.ts";
import { startApiServer } from "../src/testing/index.ts";

interface Greeting extends KubeObject {
  readonly spec: { readonly text: string };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
  };
}

const greetings = defineResource<Greeting>({
  group: "example.dev",
  version: "v1",
  kind: "Greeting",
  plural: "greetings",
  namespaced: true,
});
const definition = {
  metadata: { name: "greetings.example.dev" },
  spec: {
    group: "example.dev",
    scope: "Namespaced",
    names: { kind: "Greeting", plural: "greetings" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: { type: "object", properties: { text: { type: "string" } } },
              status: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
            },
          },
        },
      },
    ],
  },
} as const;

/** Asks again until there is an answer. */
async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const endMs = performance.now() + 120_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    ok(performance.now() < endMs, `not within two minutes: ${what}`);
    await delay(50);
  }
}

test("the controller of the README has 40 lines at most, works as it stands, and ends well", async (t) => {
  const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
  const program = /^```ts\n(?<code>[\s\S]*?)^```/mu.exec(readme)?.groups?.["code"] ?? "";
  ok(program.split("\n").filter((line) => line !== "").length <= 40, "it has more than 40 lines");
  const folder = await mkdtemp(join(tmpdir(), "readme-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "node_modules"));
  await symlink(join(import.meta.dirname, ".."), join(folder, "node_modules/kube-runtime"));
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  await writeFile(join(folder, "greeter.ts"), program);

  await using server = await startApiServer();
  await using api = httpApi(server.connection);
  const client = createClient(api, { fieldManager: "test" });
  await client.create(customResourceDefinitions, definition, t.signal);
  const child = spawn(process.execPath, [join(folder, "greeter.ts")], {
    env: { ...process.env, KUBECONFIG: server.kubeconfig },
    stdio: ["ignore", "ignore", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const ended = once(child, "exit");
  const key = { namespace: "default", name: "hello" };
  await until("the kind is served", async () => {
    try {
      return await client.create(greetings, { metadata: key, spec: { text: "Hello" } }, t.signal);
    } catch (error) {
      ok(isApiError(error, "notFound"), String(error));
      return undefined;
    }
  });
  const text = async (): Promise<string | undefined> => (await client.find(configMaps, key, t.signal))?.data?.["text"];
  equal(await until("the ConfigMap", text), "Hello");
  await client.patch(greetings, key, { spec: { text: "Good day" } }, t.signal);
  await until("the new text", async () => ((await text()) === "Good day" ? true : undefined));
  await client.delete(configMaps, key, t.signal);
  equal(await until("the ConfigMap, made again", text), "Good day");
  await client.patch(greetings, key, { spec: { text: "" } }, t.signal);
  const stalled = await until("Stalled", async () =>
    (await client.get(greetings, key, t.signal)).status?.conditions?.find(({ type }) => type === "Stalled"),
  );
  equal(stalled.reason, "EmptyText");
  child.kill("SIGTERM");
  const [code] = await ended;
  equal(code, 0);
});
