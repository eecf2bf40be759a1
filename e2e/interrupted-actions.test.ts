/** Operator or engine dies right after an action has recorded a step: each outside effect happens once, and the data is the new. */
import { deepEqual, equal } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, items, operatorNamespace, testCluster, text, withEngine } from "@vdb/cluster";
import { eq } from "@vdb/dct";
import { isFullTier, seededRandom, testSeed } from "kube-runtime/testing";
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
const vdb = { name: "interrupted-actions", namespace };
const kinds = "vdbsnapshots,vdbrefreshes,vdbrewinds,volumesnapshots";

/** How many steps an action of the kind has, and what DCT does for it. */
const actions = [
  { kind: "VDBSnapshot", steps: 5, job: "DB_SNAPSHOT" },
  { kind: "VDBRefresh", steps: 8, job: "DB_REFRESH" },
  { kind: "VDBRewind", steps: 8, job: "DB_ROLLBACK" },
] as const;
const victims = [
  { victim: "operator", pods: operatorPods },
  { victim: "engine", pods: enginePods },
] as const;

const random = seededRandom(testSeed);
const points = actions
  .flatMap(({ kind, steps, job }) =>
    victims.flatMap(({ victim, pods }) =>
      Array.from({ length: steps }, (_, nth) => ({ kind, job, victim, pods, step: nth + 1, order: random() })),
    ),
  )
  .toSorted((a, b) => a.order - b.order)
  .slice(0, isFullTier ? undefined : 10);

const specOf = {
  VDBSnapshot: {},
  VDBRefresh: {},
  VDBRewind: { snapshotRef: { type: "volume-snapshot", name: "base" } },
};

/** What tells the data apart: the snapshot has the table, the source has not, and rows that were written since are in neither. */
const look = "SELECT to_regclass('own') IS NOT NULL, to_regclass('since') IS NOT NULL, count(*) FROM pgbench_accounts";
const expected = { VDBSnapshot: "t|t|1000000", VDBRefresh: "f|f|1000000", VDBRewind: "t|f|1000000" };

/** As soon as the engine answers: it may have been killed after the action had no more need of it. */
async function jobsOf(type: string): Promise<number> {
  const id = text(await kubectl.get("postgresvdb", vdb.name, namespace), "status", "delphixID");
  const jobs = await eventually("the engine answers", 120, async () =>
    withEngine(kubectl, async (engine) => engine.searchJobs(eq("target_id", id))),
  );
  return jobs.filter((job) => job.type === type).length;
}

async function untilStep({ kind, name }: Action, step: number): Promise<void> {
  for (;;) {
    const found = await kubectl.get(kind.toLowerCase(), name, namespace);
    if (items(found, "status", "steps").length >= step) return;
    if (["Completed", "Error"].includes(text(found, "status", "phase"))) throw new Error(`${name} ended before its step ${step}`);
    await sleep(10);
  }
}

describe(`interrupted actions (seed ${testSeed})`, { timeout: 3_600_000 }, () => {
  before(async () => {
    await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    await waitForPhase(kubectl, vdb, "Ready");
    await sqlInPod(kubectl, vdb, "CREATE TABLE own ()");
    const found = await runAction(kubectl, vdb, { kind: "VDBSnapshot", name: "base", spec: {} });
    equal(text(found, "status", "phase"), "Completed", text(found, "status"));
  });
  after(async () => {
    await kubectl.run(["delete", kinds, "--all", "-n", namespace, "--timeout=240s"]);
    await deleteVdb(kubectl, vdb);
  });

  for (const { kind, job, victim, pods, step } of points)
    test(`${kind}: the ${victim} dies after step ${step}`, async () => {
      await sqlInPod(kubectl, vdb, "CREATE TABLE IF NOT EXISTS own (); CREATE TABLE IF NOT EXISTS since ()");
      const jobsBefore = await jobsOf(job);
      const name = `${kind}-${victim}-${step}`.toLowerCase();
      const action = { kind, name, spec: specOf[kind] };
      await beginAction(kubectl, vdb, action);
      await untilStep(action, step);
      await killPods(kubectl, pods, { wait: false });
      const found = await endOfAction(kubectl, vdb, action);
      equal(text(found, "status", "phase"), "Completed", text(found, "status"));
      await waitForPhase(kubectl, vdb, "Ready");
      deepEqual([await jobsOf(job), await sqlInPod(kubectl, vdb, look)], [jobsBefore + 1, expected[kind]]);
      if (kind !== "VDBSnapshot") return;
      const snapshots = await kubectl.list("volumesnapshot", ["-n", namespace]);
      equal(snapshots.filter((one) => text(one, "metadata", "name") === name).length, 1);
    });
});
