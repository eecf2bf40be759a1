/** A Standby: masked by hooks that write, and read-only for whoever comes, whatever is done with it. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, type Json, psqlOnceReached, testCluster, text, tryPsql } from "@vdb/cluster";
import { isFullTier } from "kube-runtime/testing";
import { deleteOrigin, makeOrigin, sourceOf } from "./origins.ts";
import { killPods, operatorPods, podsOf } from "./pods.ts";
import {
  applyVdb,
  condition,
  deleteVdb,
  makePasswordSecret,
  patchSpec,
  runAction,
  setPasswordSecret,
  sqlInPod,
  type VdbOptions,
  waitForPhase,
} from "./vdb.ts";

const kubectl = await testCluster();
const namespace = "pg-operator";
const port = 5432;
const mask = "UPDATE pgbench_tellers SET filler = 'masked';";
const stages = ["post-create", "post-refresh", "post-rewind"] as const;
const spec = { mode: "Standby", hooks: stages.map((stage) => ({ name: "mask", stage, script: mask })) };
const vdb = { name: "reader", namespace, spec };
type Reader = VdbOptions & { readonly namespace: string };

/** Whether the server is read-only, and how many rows are still production's. */
const look = "SELECT pg_is_in_recovery() || ' ' || (SELECT count(*) FROM pgbench_tellers WHERE filler IS DISTINCT FROM 'masked')";
const asIs = "true 0";

/** What a client in another pod hears. */
async function ask(
  host: string,
  password: string,
  sql: string,
  psql = psqlOnceReached,
): Promise<{ readonly letIn: boolean; readonly said: string }> {
  const connection = `host=${host} port=${port} user=postgres dbname=postgres connect_timeout=5`;
  const { exitCode, stdout, stderr } = await psql(kubectl, connection, password, sql);
  return { letIn: exitCode === 0 && stdout !== "", said: (stdout || stderr).trim() };
}
const serviceOf = ({ name }: Reader): string => `${name}.${namespace}.svc`;
const service = serviceOf(vdb);

async function podAddresses(reader: Reader = vdb): Promise<readonly string[]> {
  const pods = await kubectl.list("pods", ["-n", namespace, "-l", podsOf(reader).label]);
  return pods.map((pod) => text(pod, "status", "podIP")).filter((address) => address !== "");
}

/** Tries all ways in again and again, until it is disposed of: then everybody who was let in must have seen the same. */
function watch(
  passwords: readonly string[],
  reader: Reader = vdb,
): AsyncDisposable & { readonly heard: string[]; refused: number } {
  const end = new AbortController();
  const state = { heard: new Array<string>(), refused: 0 };
  const loop = (async () => {
    while (!end.signal.aborted) {
      const hosts = [serviceOf(reader), ...(await podAddresses(reader).catch(() => []))];
      const tries = hosts.flatMap((host) => passwords.map(async (password) => await ask(host, password, look, tryPsql)));
      for (const { letIn, said } of await Promise.all(tries))
        if (letIn) state.heard.push(said);
        else state.refused += 1;
    }
  })();
  return Object.assign(state, {
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await loop;
    },
  });
}

async function setMode(mode: "Primary" | "Standby"): Promise<void> {
  await patchSpec(kubectl, vdb, { mode });
}
async function isReady(mode: "Primary" | "Standby"): Promise<void> {
  const generation = text(await kubectl.get("postgresvdb", vdb.name, namespace), "metadata", "generation");
  await eventually(`it is Ready as ${mode}`, 180, async () => {
    const found = await kubectl.get("postgresvdb", vdb.name, namespace);
    const ready = found === undefined ? undefined : condition(found, "Ready");
    const isSo = text(found, "status", "observedGeneration") === generation && ready?.status === "True";
    if (isSo && ready.message.includes("read-only") === (mode === "Standby")) return true;
    throw new Error(text(found, "status"));
  });
}

async function completed(kind: string, name: string, more: object, reader: Reader = vdb): Promise<Json> {
  const found = await runAction(kubectl, reader, { kind, name, spec: more });
  equal(text(found, "status", "phase"), "Completed", text(found, "status"));
  console.log(`${kind} of a Standby: ${text(found, "status", "duration")}`);
  await waitForPhase(kubectl, reader, "Ready");
  return found;
}

/** Made, snapshot, refreshed and rewound, it is masked and read-only for all who are ever let in. */
async function livesMasked(reader: Reader, password: string): Promise<void> {
  const host = serviceOf(reader);
  const named = (action: string): string => `${reader.name}-${action}`;
  await using seen = watch([password], reader);
  await applyVdb(kubectl, reader);
  match(condition(await waitForPhase(kubectl, reader, "Ready"), "Ready")?.message ?? "", /read-only/u);
  equal((await ask(host, password, look)).said, asIs);
  match((await ask(host, password, "CREATE TABLE mine (n int)")).said, /read-only transaction/u);

  await completed("VDBSnapshot", named("good"), {}, reader);
  await completed("PostgresSnapshot", named("backup"), { preSnapshot: { content: "CHECKPOINT" } }, reader);
  for (const [kind, name, more] of [
    ["PostgresRefresh", "fresh", { postRefresh: { content: "CREATE TABLE by_action AS SELECT 1" } }],
    ["PostgresRewind", "back", { snapshotRef: { type: "volume-snapshot", name: named("good") } }],
    ["PostgresRewind", "undo", { snapshotRef: { type: "previous" } }],
  ] as const) {
    const found = await completed(kind, named(name), more, reader);
    deepEqual(condition(found, "ModeEnforced")?.message, "the database runs in mode Standby");
    equal((await ask(host, password, look)).said, asIs);
  }
  equal(await sqlInPod(kubectl, reader, "SELECT count(*) FROM by_action"), "1", "the previous data was the refreshed one");

  const task = await runAction(kubectl, reader, {
    kind: "PostgresTask",
    name: named("writes"),
    spec: { vdbRef: undefined, targetRef: { name: reader.name }, type: "sql", content: "CREATE TABLE mine (n int)" },
  });
  equal(text(task, "status", "phase"), "Error");
  match(text(task, "status"), /cannot execute CREATE TABLE in a read-only transaction/u);
  await seen[Symbol.asyncDispose]();
  deepEqual([...new Set(seen.heard)], [asIs], `${seen.heard.length} were let in, ${seen.refused} were not`);
  ok(seen.refused > 0, "the gate was watched while it was shut");
  console.log(`${seen.heard.length} tries were let in, ${seen.refused} were not`);
}

describe("mode Standby", { timeout: 900_000 }, () => {
  let password = "";
  before(async () => {
    password = await makePasswordSecret(kubectl, vdb);
  });
  after(async () => {
    const kinds = "vdbsnapshots,postgressnapshots,postgresrefreshes,postgresrewinds,postgrestasks,volumesnapshots";
    await kubectl.run(["delete", kinds, "--all", "-n", namespace, "--timeout=240s"]);
    await deleteVdb(kubectl, vdb);
    if (isFullTier) await deleteOrigin(kubectl, namespace);
  });

  test("made, snapshot, refreshed and rewound, it is masked and read-only for all who are ever let in", async () => {
    await livesMasked(vdb, password);
  });

  test("the same of a pvc-clone", { skip: !isFullTier }, async () => {
    await makeOrigin(kubectl, namespace);
    const clone = { name: "reading-clone", namespace, spec: { ...spec, ...(await sourceOf(kubectl, "pvc-clone", namespace)) } };
    await livesMasked(clone, await makePasswordSecret(kubectl, clone));
    await deleteVdb(kubectl, clone);
  });

  test("another password comes into force, and nobody can write meanwhile", async () => {
    const next = `${password}-next`;
    await using seen = watch([password, next]);
    await setPasswordSecret(kubectl, namespace, `${vdb.name}-password`, { password: next });
    await eventually("the new password is in force", 180, async () =>
      (await ask(service, next, look)).letIn ? true : undefined,
    );
    match((await ask(service, password, look)).said, /password authentication failed/u);
    password = next;
    await seen[Symbol.asyncDispose]();
    deepEqual([...new Set(seen.heard)], [asIs]);
  });

  test("to Primary and back, the operator killed under both: the data stays, and what was written is in it", async () => {
    const position = "SELECT timeline_id FROM pg_control_checkpoint()";
    const timeline = await sqlInPod(kubectl, vdb, position);
    await setMode("Primary");
    await killPods(kubectl, operatorPods);
    await isReady("Primary");
    equal((await ask(service, password, "CREATE TABLE mine AS SELECT 7 AS n; SELECT n FROM mine")).said, "7");
    equal(await sqlInPod(kubectl, vdb, position), timeline, "its own snapshots are of the same line of WAL");
    await completed("VDBSnapshot", "as-primary", {});
    await setMode("Standby");
    await killPods(kubectl, operatorPods);
    await isReady("Standby");
    deepEqual(
      [(await ask(service, password, look)).said, (await ask(service, password, "SELECT n FROM mine")).said],
      [asIs, "7"],
    );
    await completed("PostgresRewind", "to-primary", { snapshotRef: { type: "volume-snapshot", name: "as-primary" } });
    equal((await ask(service, password, "SELECT n, pg_is_in_recovery() FROM mine")).said, "7|t");
  });

  test("its server killed, it comes back read-only", async () => {
    const pod = await podAddresses();
    equal(pod.length, 1);
    await kubectl.try([
      "exec",
      "-n",
      namespace,
      `deploy/${vdb.name}`,
      "--",
      "sh",
      "-c",
      'kill -9 "$(head -n 1 "$PGDATA/postmaster.pid")"',
    ]);
    await eventually("it answers again", 120, async () =>
      (await ask(service, password, look)).said === asIs ? true : undefined,
    );
  });
});
