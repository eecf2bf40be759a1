/** Hooks that fail or hang, a database that goes away, two actions at once: the data is old or new, whole, and the next action works. */
import { deepEqual, equal, match } from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { eventually, type Json, operatorNamespace, testCluster, text } from "@vdb/cluster";
import { isFullTier, seededRandom, testSeed, turns } from "kube-runtime/testing";
import { deleteOrigin, makeOrigin, sourceOf } from "./origins.ts";
import { killPods, podsOf } from "./pods.ts";
import { remains } from "./remains.ts";
import {
  type Action,
  applyVdb,
  beginAction,
  condition,
  deleteVdb,
  endOfAction,
  makePasswordSecret,
  runAction,
  setEnabled,
  sqlInPod,
  waitForPhase,
} from "./vdb.ts";

const kubectl = await testCluster();
const namespace = operatorNamespace;
const vdb = { name: "trouble", namespace };
const kinds = "vdbsnapshots,vdbrefreshes,vdbrewinds,postgresrefreshes,postgresrewinds,volumesnapshots";

const oldData = "CREATE TABLE precious (n int); DELETE FROM pgbench_accounts WHERE aid % 100 = 0";
const isOld = "SELECT to_regclass('precious') IS NOT NULL";
const look = `${isOld}, count(*) FROM pgbench_accounts`;
const rowsOf = { old: "t|990000", new: "f|1000000" } as const;

/** That the database holds the one data or the other, whole. */
async function holds(data: keyof typeof rowsOf): Promise<void> {
  await waitForPhase(kubectl, vdb, "Ready");
  equal(await sqlInPod(kubectl, vdb, look), rowsOf[data]);
}

const hook = (stage: string, script: string, more: object = {}) => ({ name: "trouble", stage, script, ...more });
const source = { spec: {} };
async function haveHooks(...hooks: readonly object[]): Promise<void> {
  await applyVdb(kubectl, { ...vdb, spec: { ...source.spec, hooks } });
  await eventually("its hooks are seen", 60, async () => {
    const found = await kubectl.get("postgresvdb", vdb.name, namespace);
    return text(found, "status", "observedGeneration") === text(found, "metadata", "generation") ? true : undefined;
  });
}

/** What holds an action for so long after it has changed the data, before it opens the gate. */
const slowly = (seconds: number) => ({ content: `SELECT pg_sleep(${seconds})` });
/** Both bring the new data. */
const refresh = (name: string, spec: object = {}) => ({ kind: "PostgresRefresh", name, spec });
const rewind = (name: string, postRewind?: object) => ({
  kind: "PostgresRewind",
  name,
  spec: { snapshotRef: { type: "volume-snapshot", name: "base" }, ...(postRewind === undefined ? {} : { postRewind }) },
});
const skip = turns("trouble", ["preFails", "preHangs", "postFails", "goesOn", "two", "killed", "disabled", "deleted"], 3);
const phases = ["PreRefresh", "Stopping", "Refreshing", "Starting", "PostRefresh", "Finalizing"];
const random = seededRandom(testSeed);
const either = (name: string, script: object) => (random() < 0.5 ? refresh(name, { postRefresh: script }) : rewind(name, script));

/** A short phase may be over before it is seen. */
async function comesTo({ kind, name }: Action, phase: string): Promise<void> {
  const found = async () => await kubectl.get(kind.toLowerCase(), name, namespace);
  await eventually(`${kind} ${name} comes to ${phase}`, 120, async () => {
    const now = text(await found(), "status", "phase").replace(/Rewind(?:ing)?$/u, (word) => word.replace("Rewind", "Refresh"));
    if ([...phases, "Completed", "Error"].indexOf(now) >= phases.indexOf(phase)) return true;
    throw new Error(now);
  });
}
const phaseAndReason = (found: Json): readonly string[] => [
  text(found, "status", "phase"),
  condition(found, "Succeeded")?.reason ?? "",
  condition(found, "RolledBack")?.reason ?? "",
];

for (const origin of isFullTier ? (["dct-source", "pvc-clone"] as const) : (["dct-source"] as const))
  describe(`actions on a ${origin} that meet trouble (seed ${testSeed})`, { timeout: 1_800_000 }, () => {
    before(async () => {
      if (origin !== "dct-source") await makeOrigin(kubectl, namespace);
      source.spec = await sourceOf(kubectl, origin, namespace);
      await makePasswordSecret(kubectl, vdb);
      await applyVdb(kubectl, { ...vdb, ...source });
      await waitForPhase(kubectl, vdb, "Ready");
      const found = await runAction(kubectl, vdb, { kind: "VDBSnapshot", name: "base", spec: {} });
      equal(text(found, "status", "phase"), "Completed", text(found, "status"));
    });
    beforeEach(async () => {
      await haveHooks();
      if ((await sqlInPod(kubectl, vdb, isOld)) !== "t") await sqlInPod(kubectl, vdb, oldData);
    });
    after(async () => {
      await kubectl.run(["delete", kinds, "--all", "-n", namespace, "--timeout=240s"]);
      await deleteVdb(kubectl, vdb);
      await deleteOrigin(kubectl, namespace);
    });

    test("a pre-refresh hook that fails: nothing is changed", { skip: skip("preFails") }, async () => {
      await haveHooks(hook("pre-refresh", "SELECT 1/0"));
      const found = await runAction(kubectl, vdb, refresh("pre-fails"));
      deepEqual(phaseAndReason(found), ["Error", "HookFailed", "NothingChanged"]);
      match(text(found, "status", "lastError"), /pre-refresh hook trouble failed[^]*22012: division by zero/u);
      await holds("old");
    });

    test("a pre-rewind hook that hangs: it is ended at its timeout, in the server too", { skip: skip("preHangs") }, async () => {
      await haveHooks(hook("pre-rewind", "SELECT pg_sleep(3600)", { timeoutSeconds: 2 }));
      const found = await runAction(kubectl, vdb, rewind("pre-hangs"));
      deepEqual(phaseAndReason(found), ["Error", "HookFailed", "NothingChanged"]);
      match(text(found, "status", "lastError"), /did not end within 2 s/u);
      equal(await sqlInPod(kubectl, vdb, "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(3600)'"), "0");
      await holds("old");
    });

    test("a post-refresh hook that fails: the old data is back", { skip: skip("postFails") }, async () => {
      await haveHooks(hook("post-refresh", "SELECT 1/0"));
      const found = await runAction(kubectl, vdb, refresh("post-fails"));
      deepEqual(phaseAndReason(found), ["Error", "HookFailed", "RolledBack"]);
      await holds("old");
    });

    test("a post-refresh hook that fails with continueOnError: the new data", { skip: skip("goesOn") }, async () => {
      await haveHooks(hook("post-refresh", "SELECT 1/0", { continueOnError: true }));
      const found = await runAction(kubectl, vdb, refresh("post-continues"));
      deepEqual(phaseAndReason(found), ["Completed", "Completed", ""]);
      await holds("new");
    });

    test("two at once: the second waits, says behind which, and begins when the first has ended", {
      skip: skip("two"),
    }, async () => {
      const [first, second] = [refresh("first", { postRefresh: slowly(2) }), rewind("second")];
      await beginAction(kubectl, vdb, first);
      await comesTo(first, "PreRefresh");
      await beginAction(kubectl, vdb, second);
      const queued = await eventually("the second waits", 60, async () =>
        condition((await kubectl.get("postgresrewind", "second", namespace)) ?? null, "Reconciling"),
      );
      deepEqual([queued.reason, queued.message], ["Queued", "it waits behind PostgresRefresh first"]);
      const ended = [await endOfAction(kubectl, vdb, first), await endOfAction(kubectl, vdb, second)] as const;
      deepEqual(ended.map(phaseAndReason), [
        ["Completed", "Completed", ""],
        ["Completed", "Completed", ""],
      ]);
      const [end, start] = [text(ended[0], "status", "completionTime"), text(ended[1], "status", "startTime")];
      equal(Date.parse(start) >= Date.parse(end) - 1000, true, `${end} ${start}`);
      await holds("new");
    });

    test("its pod is killed in the middle: the data is that of the action's end", { skip: skip("killed") }, async () => {
      const action = either("pod-killed", slowly(3));
      await beginAction(kubectl, vdb, action);
      await comesTo(action, "PostRefresh");
      await killPods(kubectl, podsOf(vdb));
      const found = await endOfAction(kubectl, vdb, action);
      console.log(action.kind, phaseAndReason(found).join(" "));
      await holds(text(found, "status", "phase") === "Completed" ? "new" : "old");
    });

    test("the database is disabled in the middle: it stops when the action has ended, with the new data", {
      skip: skip("disabled"),
    }, async () => {
      const action = either("disabled", slowly(3));
      await beginAction(kubectl, vdb, action);
      await comesTo(action, "Starting");
      await setEnabled(kubectl, vdb, false);
      equal(text(await endOfAction(kubectl, vdb, action), "status", "phase"), "Completed");
      await waitForPhase(kubectl, vdb, "Stopped");
      await setEnabled(kubectl, vdb, true);
      await holds("new");
    });

    const chosen = isFullTier ? phases : phases.toSorted(() => random() - 0.5).slice(0, 1);
    for (const phase of chosen)
      test(`a refresh deleted in ${phase}: the old data or the new`, async () => {
        const name = `deleted-${phase.toLowerCase()}`;
        const action = refresh(name, { preRefresh: slowly(1), postRefresh: slowly(1) });
        await beginAction(kubectl, vdb, action);
        await comesTo(action, phase);
        await kubectl.run(["delete", "postgresrefresh", name, "-n", namespace, "--timeout=180s"]);
        await waitForPhase(kubectl, vdb, "Ready");
        const was = (await sqlInPod(kubectl, vdb, isOld)) === "t" ? "old" : "new";
        console.log(`deleted in ${phase}: ${was}`);
        if (phase !== "Finalizing") equal(was, "old");
        await holds(was);
      });

    test("the database is deleted in the middle: the action ends, and nothing is left", { skip: skip("deleted") }, async () => {
      await kubectl.run(["delete", "volumesnapshots", "--all", "-n", namespace, "--timeout=120s"]); // they would keep its data
      const action = refresh("vdb-deleted", { postRefresh: slowly(60) });
      await beginAction(kubectl, vdb, action);
      await comesTo(action, "PostRefresh");
      const earlier = await remains(kubectl, vdb);
      await deleteVdb(kubectl, vdb);
      deepEqual(phaseAndReason(await endOfAction(kubectl, vdb, action)).slice(0, 2), ["Error", "VdbNotFound"]);
      await eventually("nothing of it is left", 60, async () => {
        const left = Object.entries(await remains(kubectl, vdb, earlier)).filter(([, what]) => what !== "");
        if (left.length === 0) return true;
        throw new Error(JSON.stringify(left));
      });
    });
  });
