/**
 * PostgresSnapshots of a database under pgbench, each restored: its balances add up, and every transaction that was committed before
 * its begin LSN is there.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ensureNamespace, eventually, testCluster, text } from "@vdb/cluster";
import { isFullTier } from "kube-runtime/testing";
import { applyVdb, makePasswordSecret, runAction, sqlInPod, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const namespace = "under-load";
const vdb = { name: "loaded", namespace };
const rounds = isFullTier ? 20 : 2;

/** One transaction, and then where its server's WAL was after it: both are rows, the second of the loaded database alone. */
const ledger = String.raw`
INSERT INTO ledger DEFAULT VALUES RETURNING n \gset
INSERT INTO committed VALUES (:n, pg_current_wal_lsn());
`;
const sums = `SELECT (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(tbalance) FROM pgbench_tellers),
  (SELECT sum(bbalance) FROM pgbench_branches), (SELECT sum(delta) FROM pgbench_history)`;

const numbers = (list: string): ReadonlySet<number> => new Set(list === "" ? [] : list.split(" ").map(Number));
const listed = (where: string): string => `SELECT string_agg(n::text, ' ' ORDER BY n) FROM ${where}`;

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
    const [first, ...others] = (await sqlInPod(kubectl, vdb, sums)).split("|").map((sum) => sum || "0");
    ok(
      others.every((sum) => sum === first),
      "the balances add up before the load",
    );
    await sqlInPod(kubectl, vdb, "CREATE TABLE ledger (n bigserial); CREATE TABLE committed (n bigint, lsn pg_lsn)");
    const pgbench = ["pgbench", "-n", "-c", "4", "-T", "3600", "-b", "tpcb-like@4", "-f", "-@1", "-U", "postgres", "postgres"];
    load = kubectl.try(["exec", "-i", "-n", namespace, `deploy/${vdb.name}`, "--", ...pgbench], {
      input: ledger,
      signal: stopping.signal,
    });
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
      deepEqual(
        [...required].filter((n) => !there.has(n)),
        [],
        "committed before the begin",
      );
      deepEqual(
        [...there].filter((n) => !ever.has(n)),
        [],
        "nothing that was not written",
      );
      await kubectl.run(["delete", "postgresvdb", copy.name, "-n", namespace, "--wait=false"]);
    });
});
