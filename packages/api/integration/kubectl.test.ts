import { deepEqual, equal, match } from "node:assert/strict";
import { after, before, test } from "node:test";
import { startApiServer, type TestApiServer } from "kube-runtime/testing";
import { type Api, installKinds, openApi } from "./testing/api.ts";
import { assertGolden } from "./testing/golden.ts";
import { kubectlFor, type Printed } from "./testing/kubectl.ts";
import { storeStates } from "./testing/states.ts";

const namespace = "pg-operator";
let server: TestApiServer;
let api: Api;
before(async () => {
  server = await startApiServer();
  api = await openApi(server);
  await installKinds(api, namespace);
  await storeStates(api, namespace);
});
after(async () => {
  api[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

const kubectl = async (...args: readonly string[]): Promise<Printed> =>
  await kubectlFor(server.kubeconfig)([...args, "-n", namespace]);

const shown: { name: string; args: readonly string[] }[] = [
  { name: "get-postgresvdb", args: ["get", "postgresvdb"] },
  { name: "get-postgresvdb-wide", args: ["get", "postgresvdb", "-o", "wide"] },
  { name: "get-postgresrefresh", args: ["get", "pgrefresh"] },
  { name: "get-delphix", args: ["get", "delphix", "-o", "name"] },
  { name: "describe-ready", args: ["describe", "postgresvdb", "ready"] },
  { name: "describe-source-not-found", args: ["describe", "postgresvdb", "a-source-that-does-not-exist"] },
  { name: "describe-refresh-failed", args: ["describe", "postgresrefresh", "failed-with-the-old-data-back"] },
  { name: "explain-postgresvdb", args: ["explain", "postgresvdb"] },
  { name: "explain-postgresvdb-spec", args: ["explain", "postgresvdb.spec"] },
  { name: "explain-postgresvdb-spec-source", args: ["explain", "postgresvdb.spec.source"] },
  { name: "explain-postgresvdb-spec-hooks", args: ["explain", "postgresvdb.spec.hooks"] },
  { name: "explain-postgresvdb-status", args: ["explain", "postgresvdb.status"] },
  { name: "explain-postgresrewind-snapshotref", args: ["explain", "postgresrewind.spec.snapshotRef"] },
];
for (const { name, args } of shown) {
  test(`kubectl ${args.join(" ")} tells the story of golden/${name}.txt`, async () => {
    const { code, stdout, stderr } = await kubectl(...args);
    deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assertGolden(name, stdout);
  });
}

const waits: { what: string; args: readonly string[]; comes: boolean }[] = [
  { what: "a ready database is ready", args: ["--for=condition=Ready", "vdb/ready"], comes: true },
  { what: "one that is being made is not", args: ["--for=condition=Ready", "vdb/provisioning"], comes: false },
  { what: "one that nobody has looked at is not", args: ["--for=condition=Ready", "vdb/nobody-has-looked"], comes: false },
  {
    what: "a stopped one says so by its phase",
    args: ["--for=jsonpath={.status.phase}=Stopped", "vdb/stopped-as-declared"],
    comes: true,
  },
  { what: "a stuck one is Stalled", args: ["--for=condition=Stalled", "vdb/a-source-that-does-not-exist"], comes: true },
  { what: "a completed action has succeeded", args: ["--for=condition=Succeeded", "pgrefresh/completed"], comes: true },
  {
    what: "a failed action has not",
    args: ["--for=condition=Succeeded", "pgrefresh/failed-with-the-old-data-back"],
    comes: false,
  },
  {
    what: "a failed action says so",
    args: ["--for=condition=Succeeded=False", "pgrefresh/failed-with-the-old-data-back"],
    comes: true,
  },
];
for (const { what, args, comes } of waits) {
  test(`kubectl wait ${args.join(" ")}: ${what}`, async () => {
    const { code, stdout, stderr } = await kubectl("wait", ...args, "--timeout=1s");
    equal(code === 0, comes, stdout + stderr);
    match(comes ? stdout : stderr, comes ? /condition met/u : /timed out/u);
  });
}
