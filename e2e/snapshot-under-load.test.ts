/**
 * PostgresSnapshots of a database under pgbench, each restored: its balances add up, and every transaction that was committed before
 * its begin LSN is there.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ensureNamespace, eventually, testCluster, text } from "@vdb/cluster";
import { isFullTier } from "kube-runtime/testing";
import { lacking, ledgerTables, listed, numbers, pgbenchWithLedger, sums } from "./under-load/ledger.ts";
import { applyVdb, makePasswordSecret, runAction, sqlInPod, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const namespace = "under-load";
const vdb = { name: "loaded", namespace };
const rounds = isFullTier ? 20 : 3;

/** A database on the VolumeSnapshot. */
async function restored(snapshot: string): Promise<typeof vdb> {
  const copy = { name: `of-${snapshot}`, namespace };
  const source = { type: "k8s-snapshot", reference: snapshot };
  const database = { name: "postgres", user: "postgres", passwordSecretRef: `${vdb.name}-password` };
  await applyVdb(kubectl, { ...copy, spec: { source, database } });
  await waitForPhase(kubectl, copy, "Ready");
  return copy;
}

describe(`${rounds} snapshots under load`, { timeout: rounds * 120_000 + 600_000 }, () => {
  const stopping = new AbortController();
  let load: Promise<unknown> = Promise.resolve();

  before(async () => {
    await ensureNamespace(kubectl, namespace);
    await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    await waitForPhase(kubectl, vdb, "Ready");
    const [first, ...others] = (await sqlInPod(kubectl, vdb, sums)).split("|");
    ok(
      others.every((sum) => sum === first),
      "the balances add up before the load",
    );
    await sqlInPod(kubectl, vdb, ledgerTables);
    load = pgbenchWithLedger(kubectl, { pod: `deploy/${vdb.name}`, namespace }, stopping.signal);
    await eventually("pgbench writes", 60, async () =>
      numbers(await sqlInPod(kubectl, vdb, listed("committed"))).size > 10 ? true : undefined,
    );
  });
  after(async () => {
    stopping.abort();
    await load;
    await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=300s"]);
  });

  for (let round = 1; round <= rounds; round += 1)
    test(`snapshot ${round}: what it holds is one moment, with all that was committed before its begin`, async () => {
      const name = `under-load-${round}`;
      const found = await runAction(kubectl, vdb, { kind: "PostgresSnapshot", name, spec: {} });
      equal(text(found, "status", "phase"), "Completed", text(found, "status"));
      const begin = text(found, "status", "lsn", "begin");
      const required = numbers(await sqlInPod(kubectl, vdb, listed(`committed WHERE lsn <= '${begin}'`)));
      const copy = await restored(name);
      const [accounts, ...others] = (await sqlInPod(kubectl, copy, sums)).split("|");
      deepEqual(others, [accounts, accounts, accounts], "the balances add up");
      const there = numbers(await sqlInPod(kubectl, copy, listed("ledger")));
      const ever = numbers(await sqlInPod(kubectl, vdb, listed("ledger")));
      console.log(
        `${name}: ${required.size} had to be there, ${there.size} are, ${ever.size} were written by now; sum ${accounts}`,
      );
      ok(required.size > 0 && ever.size > there.size, "pgbench has written before it and since");
      deepEqual(lacking(required, there), [], "committed before the begin");
      deepEqual(lacking(there, ever), [], "nothing that was not written");
      await kubectl.run(["delete", "postgresvdb", copy.name, "-n", namespace, "--wait=false"]);
    });
});
