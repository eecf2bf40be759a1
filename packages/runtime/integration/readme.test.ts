import { equal, match, ok } from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
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
import { startApiServer, type TestApiServer } from "../src/testing/index.ts";
import { packedInto, packRuntime } from "./testing/pack-runtime.ts";

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

const source = join(import.meta.dirname, "..");
const readme = await readFile(join(source, "README.md"), "utf8");
const program = /^```ts\n(?<code>[\s\S]*?)^```/mu.exec(readme)?.groups?.["code"] ?? "";

async function programFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "readme-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  await writeFile(join(folder, "greeter.ts"), program);
  return folder;
}

/** Runs the README's program on that Node.js until it has done all that it says, and is told to stop. */
async function works(t: TestContext, server: TestApiServer, node: string, folder: string): Promise<void> {
  await using api = httpApi(server.connection);
  const client = createClient(api, { fieldManager: "test" });
  const child = spawn(node, [join(folder, "greeter.ts")], {
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
  await client.delete(greetings, key, t.signal); // the API server collects no garbage here
  await client.delete(configMaps, key, t.signal);
}

/** What the package promises to run on, by the npm package `node`: the oldest is this package's own, the newest the project's. */
const nodes = { 24: join(source, "node_modules/node/bin/node"), 26: process.execPath };

test("the controller of the README works as it stands, from the source and from the archive of npm pack", async (t) => {
  ok(program.split("\n").filter((line) => line !== "").length <= 40, "it has more than 40 lines");
  await using server = await startApiServer();
  await using api = httpApi(server.connection);
  await createClient(api, { fieldManager: "test" }).create(customResourceDefinitions, definition, t.signal);

  await t.test("the source", async (inner) => {
    const folder = await programFolder(inner);
    await symlink(source, join(folder, "node_modules/kube-runtime"));
    await works(inner, server, process.execPath, folder);
  });
  const archive = await packRuntime(t);
  for (const [major, node] of Object.entries(nodes))
    await t.test(`the archive on Node.js ${major}`, async (inner) => {
      match(execFileSync(node, ["--version"], { encoding: "utf8" }), new RegExp(`^v${major}\\.`, "u"));
      const folder = await programFolder(inner);
      await packedInto(join(folder, "node_modules"), archive);
      await works(inner, server, node, folder);
    });
});
