/** A schedule of every minute on a real cluster, the operator killed in between; a protected database. Full tier: it takes minutes. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ensureNamespace, eventually, testCluster, text, tryRun } from "@vdb/cluster";
import { isFullTier } from "kube-runtime/testing";
import { killPods, operatorPods } from "./pods.ts";
import { applyVdb, deleteSnapshots, deleteVdb, makePasswordSecret, patchSpec, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const vdb = { name: "by-clock", namespace: "by-clock" };

const taken = async () =>
  (await kubectl.list("vdbsnapshot", ["-n", vdb.namespace])).map((one) => ({
    name: text(one, "metadata", "name"),
    phase: text(one, "status", "phase"),
    created: text(one, "metadata", "creationTimestamp"),
  }));

describe("the clock and a database", { timeout: 900_000, skip: !isFullTier }, () => {
  before(async () => {
    await ensureNamespace(kubectl, vdb.namespace);
    await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    await waitForPhase(kubectl, vdb, "Ready");
  });
  after(async () => {
    await patchSpec(kubectl, vdb, { protected: false });
    await deleteSnapshots(kubectl, vdb.namespace);
    await deleteVdb(kubectl, vdb);
    await kubectl.run(["delete", "namespace", vdb.namespace, "--timeout=120s"]);
  });

  test("each minute has its snapshot, once, although the operator is killed", async () => {
    await patchSpec(kubectl, vdb, { schedules: { snapshot: { schedule: "* * * * *", history: 10 } } });
    await eventually("the first snapshot", 120, async () => ((await taken()).length > 0 ? true : undefined));
    await killPods(kubectl, operatorPods);
    const all = await eventually("three snapshots", 240, async () => {
      const done = (await taken()).filter(({ phase }) => phase === "Completed");
      return done.length >= 3 ? done : undefined;
    });
    await patchSpec(kubectl, vdb, { schedules: { snapshot: { suspend: true } } });
    const minutes = all.map(({ name }) => name.replace("by-clock-snapshot-", "")).toSorted();
    equal(new Set(minutes).size, minutes.length);
    for (const { name, created } of all) {
      const [, day = "", time = ""] = /-(\d{8})-(\d{4})$/u.exec(name) ?? [];
      const scheduled = Date.parse(
        `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T${time.slice(0, 2)}:${time.slice(2)}:00Z`,
      );
      const late = (Date.parse(created) - scheduled) / 1000;
      console.log(`${name} was begun ${late} s after its time`);
      ok(late >= 0 && late < 60, `${name} at ${created}`);
    }
    const { last, next } = await kubectl.get("postgresvdb", vdb.name, vdb.namespace).then((found) => ({
      last: text(found, "status", "schedules", "snapshot", "lastAction"),
      next: text(found, "status", "schedules", "snapshot", "nextTime"),
    }));
    ok(last.startsWith("by-clock-snapshot-"), last);
    deepEqual([typeof next], ["string"]);
  });

  test("a protected database and its namespace stay, whoever deletes them", async () => {
    await patchSpec(kubectl, vdb, { protected: true });
    const refused = async (...words: readonly string[]): Promise<string> => {
      const { exitCode, stderr } = await tryRun("kubectl", ["delete", ...words, "--wait=false"], { env: kubectl.bound.env });
      equal(exitCode, 1, words.join(" "));
      return stderr;
    };
    match(await refused("postgresvdb", vdb.name, "-n", vdb.namespace), /is protected\. To delete it, run first: kubectl patch/u);
    await eventually("the namespace is held too", 30, async () => {
      match(await refused("namespace", vdb.namespace), /PostgresVDB by-clock is protected and needs it/u);
      return true;
    });
    await waitForPhase(kubectl, vdb, "Ready", 5);
  });
});
