/** Operator or engine dies right after an action has recorded a step: each outside effect happens once, and the data is the new. */
import { deepEqual, equal } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, items, operatorNamespace, testCluster, text, withEngine } from "@vdb/cluster";
import { isFullTier, seededRandom, testSeed } from "kube-runtime/testing";
import { deleteOrigin, makeOrigin, sourceOf } from "./origins.ts";
import { enginePods, killPods, operatorPods } from "./pods.ts";
import {
  type Action,
  applyVdb,
  beginAction,
  deleteVdb,
  endOfAction,
  makePasswordSecret,
  runAction,
  sqlInPod,
  waitForPhase,
} from "./vdb.ts";

const kubectl = await testCluster();
const namespace = operatorNamespace;
const kinds = "vdbsnapshots,vdbrefreshes,vdbrewinds,volumesnapshots";

/** How many steps an action of the kind has, and the jobs that the engine does for it. */
const actions = [
  { kind: "VDBSnapshot", steps: 5, jobs: { "dct-source": ["DB_SNAPSHOT"], "pvc-clone": ["DB_SNAPSHOT"] } },
  { kind: "VDBRefresh", steps: 8, jobs: { "dct-source": ["DB_REFRESH"], "pvc-clone": ["DB_SNAPSHOT", "DB_PROVISION"] } },
  { kind: "VDBRewind", steps: 8, jobs: { "dct-source": ["DB_ROLLBACK"], "pvc-clone": ["DB_PROVISION"] } },
] as const;
const jobTypes = ["DB_SNAPSHOT", "DB_PROVISION", "DB_REFRESH", "DB_ROLLBACK"];
/** The way through DCT, and that of plain CSI with the most outside effects. */
const databases = (["dct-source", "pvc-clone"] as const).map((origin) => ({
  origin,
  vdb: { name: `interrupted-${origin}`, namespace },
}));
const victims = [
  { victim: "operator", pods: operatorPods },
  { victim: "engine", pods: enginePods },
] as const;

const random = seededRandom(testSeed);
const points = actions
  .flatMap(({ kind, steps, jobs }) =>
    databases.flatMap(({ origin, vdb }) =>
      victims.flatMap(({ victim, pods }) =>
        Array.from({ length: steps }, (_, nth) => {
          const point = { kind, origin, vdb, jobs: jobs[origin], victim, pods };
          return { ...point, step: nth + 1, order: random() };
        }),
      ),
    ),
  )
  .toSorted((a, b) => a.order - b.order)
  .slice(0, isFullTier ? undefined : 10);

const rewindTo = (name: string) => ({ snapshotRef: { type: "volume-snapshot", name } });

/** What tells the data apart: the snapshot has the table, the source has not, and rows that were written since are in neither. */
const look = "SELECT to_regclass('own') IS NOT NULL, to_regclass('since') IS NOT NULL, count(*) FROM pgbench_accounts";
const expected = { VDBSnapshot: "t|t|1000000", VDBRefresh: "f|f|1000000", VDBRewind: "t|f|1000000" };

/** By type. As soon as the engine answers: it may have been killed after the action had no more need of it. */
async function jobsDone(): Promise<readonly string[]> {
  const jobs = await eventually("the engine answers", 120, async () =>
    withEngine(kubectl, async (engine) => await engine.searchJobs()),
  );
  return jobs.flatMap(({ type = "" }) => (jobTypes.includes(type) ? [type] : []));
}

async function untilStep({ kind, name }: Action, step: number): Promise<void> {
  for (;;) {
    const found = await kubectl.get(kind.toLowerCase(), name, namespace);
    if (items(found, "status", "steps").length >= step) return;
    if (["Completed", "Error"].includes(text(found, "status", "phase"))) throw new Error(`${name} ended before its step ${step}`);
    await sleep(10);
  }
}

const snapshotNames = async (): Promise<readonly string[]> =>
  (await kubectl.list("volumesnapshot", ["-n", namespace])).map((one) => text(one, "metadata", "name"));

const snapshotsOfCopies = async (): Promise<readonly string[]> =>
  (await snapshotNames()).filter((name) => name.startsWith("vdb-"));

type Named = { readonly name: string };
const claimsOf = async ({ name }: Named): Promise<readonly string[]> =>
  (await kubectl.list("pvc", ["-n", namespace, "-l", `app.kubernetes.io/instance=${name}`]))
    .map((one) => text(one, "metadata", "name"))
    .toSorted();
async function claimsNamed({ name }: Named): Promise<readonly string[]> {
  const vdb = await kubectl.get("postgresvdb", name, namespace);
  const named = ["content", "previous"].map((data) => text(vdb, "status", data, "claimName"));
  return [...new Set(named)].filter((claim) => claim !== "").toSorted();
}

async function eventuallyEqual(what: string, pair: () => Promise<readonly [found: unknown, wanted: unknown]>): Promise<void> {
  await eventually(what, 180, async () => {
    const [found, wanted] = await pair();
    deepEqual(found, wanted);
    return true;
  });
}

describe(`interrupted actions (seed ${testSeed})`, { timeout: 3_600_000 }, () => {
  before(async () => {
    await makeOrigin(kubectl, namespace);
    for (const { origin, vdb } of databases) {
      await makePasswordSecret(kubectl, vdb);
      await applyVdb(kubectl, { ...vdb, spec: await sourceOf(kubectl, origin, namespace) });
      await waitForPhase(kubectl, vdb, "Ready");
      await sqlInPod(kubectl, vdb, "CREATE TABLE own ()");
      const found = await runAction(kubectl, vdb, { kind: "VDBSnapshot", name: `base-${origin}`, spec: {} });
      equal(text(found, "status", "phase"), "Completed", text(found, "status"));
    }
  });
  after(async () => {
    await kubectl.run(["delete", kinds, "--all", "-n", namespace, "--timeout=240s"]);
    for (const { vdb } of databases) await deleteVdb(kubectl, vdb);
    await deleteOrigin(kubectl, namespace);
  });

  for (const { kind, origin, vdb, jobs, victim, pods, step } of points)
    test(`${kind} of a ${origin}: the ${victim} dies after step ${step}`, async () => {
      await sqlInPod(kubectl, vdb, "CREATE TABLE IF NOT EXISTS own (); CREATE TABLE IF NOT EXISTS since ()");
      const earlier = await jobsDone();
      const name = `${kind}-${origin}-${victim}-${step}`.toLowerCase();
      const action = { kind, name, spec: kind === "VDBRewind" ? rewindTo(`base-${origin}`) : {} };
      await beginAction(kubectl, vdb, action);
      await untilStep(action, step);
      await killPods(kubectl, pods, { wait: false });
      const found = await endOfAction(kubectl, vdb, action);
      equal(text(found, "status", "phase"), "Completed", text(found, "status"));
      await waitForPhase(kubectl, vdb, "Ready");
      deepEqual(
        [(await jobsDone()).toSorted(), await sqlInPod(kubectl, vdb, look)],
        [[...earlier, ...jobs].toSorted(), expected[kind]],
      );
      if (kind === "VDBSnapshot") equal((await snapshotNames()).filter((one) => one === name).length, 1);
      else
        await eventuallyEqual("claims of the present and the previous data alone", async () => [
          await claimsOf(vdb),
          await claimsNamed(vdb),
        ]);
      // With the engine away the snapshotter tries again, ever less often.
      await eventuallyEqual("what was taken for one copy is gone", async () => [await snapshotsOfCopies(), []]);
    });
});
