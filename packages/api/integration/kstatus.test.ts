import { deepEqual, equal, ok } from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startApiServer, type TestApiServer } from "kube-runtime/testing";
import { decode, kstatusOf, postgresRefresh, postgresVDB } from "../src/index.ts";
import { type Api, installKinds, kindNamed, openApi, pathOf } from "./testing/api.ts";
import { at, type Json, textAt } from "./testing/json.ts";
import { run } from "./testing/kubectl.ts";
import { type StoredState, storeStates } from "./testing/states.ts";

const namespace = "pg-operator";
let server: TestApiServer;
let api: Api;
let states: readonly StoredState[];
const library = join(import.meta.dirname, "../../../.local/bin/kstatus");
before(async () => {
  ok(existsSync(library), `${library} is missing: cluster/tools --tests builds it from cluster/go/kstatus`);
  server = await startApiServer();
  api = await openApi(server);
  await installKinds(api, namespace);
  states = await storeStates(api, namespace);
});
after(async () => {
  api[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

/** What the library that GitOps tools wait by makes of each object. */
async function computed(objects: readonly Json[]): Promise<string[]> {
  const { code, stdout, stderr } = await run(library, [], objects.map((object) => `${JSON.stringify(object)}\n`).join(""));
  equal(code, 0, stderr);
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.split("\t")[0] ?? "");
}

const pathTo = (object: Json): string => `${pathOf(kindNamed(object["kind"]), namespace)}/${textAt(object, "metadata", "name")}`;

test("the library sees each state as documented, and as our own copy of its rules does", async () => {
  const seen = await computed(states.map(({ object }) => object));
  deepEqual(
    states.map(({ called }, index) => `${called}: ${seen[index]}`),
    states.map(({ called, kstatus }) => `${called}: ${kstatus}`),
  );
  const own = states.map(({ object }) =>
    kstatusOf(object["kind"] === "PostgresVDB" ? decode(postgresVDB, object) : decode(postgresRefresh, object)),
  );
  deepEqual(own, seen);
});

test("a changed spec is in progress until the operator has looked at it", async () => {
  const ready = states.find(({ name }) => name === "ready")?.object ?? {};
  const { body } = await api.send("PATCH", pathTo(ready), { spec: { port: 5433 } }, "application/merge-patch+json");
  equal(at(body, "metadata", "generation"), 2);
  deepEqual(await computed([body]), ["InProgress"]);
});

test("what is being deleted is terminating", async () => {
  const object = states.find(({ name }) => name === "stopped as declared")?.object ?? {};
  await api.send(
    "PATCH",
    pathTo(object),
    { metadata: { finalizers: ["postgresvdb.core.delphix.com/finalizer"] } },
    "application/merge-patch+json",
  );
  await api.send("DELETE", pathTo(object));
  const { body } = await api.send("GET", pathTo(object));
  deepEqual(await computed([body]), ["Terminating"]);
  await api.send("PATCH", pathTo(object), { metadata: { finalizers: null } }, "application/merge-patch+json");
});
