/**
 * Snapshots of a production database under pgbench load, and a database on each: its balances add up, what was committed before the
 * snapshot's position is there and nothing that came after it, and the snapshots share what did not change. A part of it lies in a
 * tablespace. It is streamed, and production is asked for the checkpoints without which each would hold all since the last one.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ensureNamespace,
  eventually,
  linkDatabase,
  loadProduction,
  postgresVersion,
  productionSql,
  startDatabase,
  takeSourceSnapshot,
  testCluster,
  unlinkDatabase,
} from "@vdb/cluster";
import type { Snapshot } from "@vdb/dct";
import { isFullTier } from "kube-runtime/testing";
import { bytesRead, poolBytes } from "./under-load/engine-figures.ts";
import { lacking, ledgerTables, listed, numbers, pgbenchWithLedger, sums } from "./under-load/ledger.ts";
import { applyVdb, makePasswordSecret, sqlInPod, waitForPhase } from "./vdb.ts";
import { claim } from "./volumes/manifests.ts";

const kubectl = await testCluster();
const [namespace, count, mib] = ["of-a-loaded-source", 5, 2 ** 20];
const production = { namespace: "loaded-production", version: postgresVersion };
/** Where no VDB has anything. */
const beside = "/var/lib/postgresql/data/beside";
const [scale, pauseSeconds, rate] = isFullTier ? [20, 60, 100] : [3, 1, 50];
const inMiB = (bytes: number): string => `${(bytes / mib).toFixed(1)} MiB`;
const source = (sql: string): Promise<string> => productionSql(kubectl, sql, production);
/** Without the ends of segments that a checkpoint leaves empty. */
const walWritten = async (): Promise<number> => Number(await source("SELECT wal_bytes FROM pg_stat_wal"));

type Taken = {
  readonly name: string;
  readonly snapshot: Snapshot;
  /** Of the ledger: committed before the snapshot was asked for. */
  readonly asked: ReadonlySet<number>;
  readonly grownBytes: number;
  readonly readBytes: number;
};

const vdbOf = ({ name }: { readonly name: string }) => {
  const database = { name: "postgres", user: "postgres", passwordSecretRef: `${name}-password` };
  return { name, namespace, spec: { source: { type: "pvc-adopt", reference: name }, database } };
};

/** Asks for a snapshot, and makes a volume of it before there is a newer one: the driver takes the newest. */
async function takeWithVolume(name: string): Promise<Taken> {
  const asked = numbers(await source(listed("committed")));
  const [used, read] = [await poolBytes(kubectl), await bytesRead(kubectl, production.namespace)];
  const snapshot = await takeSourceSnapshot(kubectl, 180, production.namespace);
  const grownBytes = (await poolBytes(kubectl)) - used;
  const readBytes = (await bytesRead(kubectl, production.namespace)) - read;
  const annotations = { sourceDBName: production.namespace };
  await kubectl.apply(JSON.stringify(claim(name, { namespace, annotations })));
  await kubectl.run(["wait", `pvc/${name}`, "-n", namespace, "--for=jsonpath={.status.phase}=Bound", "--timeout=120s"]);
  return { name, snapshot, asked, grownBytes, readBytes };
}

describe(`${count} snapshots of a production under load`, { timeout: 1_800_000 }, () => {
  const stopping = new AbortController();
  let load: Promise<unknown> = Promise.resolve();
  const taken: Taken[] = [];

  before(async () => {
    const password = await startDatabase(kubectl, production);
    await loadProduction(kubectl, scale, production);
    await kubectl.run(["exec", "-n", production.namespace, "production-0", "--", "mkdir", beside]);
    await source(`CREATE TABLESPACE beside LOCATION '${beside}';`);
    await source(`${ledgerTables}; ALTER TABLE ledger SET TABLESPACE beside; ALTER INDEX pgbench_accounts_pkey SET TABLESPACE beside;
      ALTER TABLE pgbench_history SET TABLESPACE beside; CHECKPOINT;`);
    await linkDatabase(kubectl, production, password);
    await ensureNamespace(kubectl, namespace);
    load = pgbenchWithLedger(kubectl, { pod: "production-0", namespace: production.namespace, rate }, stopping.signal);
    await eventually("pgbench writes", 60, async () => (numbers(await source(listed("committed"))).size > 10 ? true : undefined));
  });
  after(async () => {
    stopping.abort();
    await load;
    await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=300s"]);
    await unlinkDatabase(kubectl, production);
    await kubectl.run(["delete", "namespace", production.namespace, "--ignore-not-found", "--timeout=120s"]);
  });

  test("they cost little more than what has changed, and are as old as they say", async () => {
    const dataBytes = Number(await source("SELECT sum(pg_database_size(oid)) FROM pg_database"));
    const [from, written, used] = [await source("SELECT pg_current_wal_lsn()"), await walWritten(), await poolBytes(kubectl)];
    // Production makes no checkpoint between them by itself: each would write all of this, if it were not asked for one.
    await source("CREATE TABLE at_once AS SELECT n, repeat(md5(n::text), 6) AS filler FROM generate_series(1, 200000) AS n");
    for (let nth = 1; nth <= count; nth += 1) {
      taken.push(await takeWithVolume(`moment-${nth}`));
      if (nth < count) await sleep(pauseSeconds * 1000);
    }
    const [walBytes, grown] = [(await walWritten()) - written, (await poolBytes(kubectl)) - used];
    console.log(`${inMiB(dataBytes)} of data; ${inMiB(walBytes)} of WAL meanwhile, and the pool has grown by ${inMiB(grown)}`);
    for (const { name, grownBytes, readBytes, snapshot } of taken)
      console.log(
        `${name}: ${snapshot.location} ${snapshot.timestamp}: ${inMiB(readBytes)} read from production, the pool has grown by ${inMiB(grownBytes)}`,
      );
    ok(grown < 1.5 * walBytes + count * 8 * mib, `${grown} bytes for ${count} snapshots, ${walBytes} of WAL`);
    // It is streamed: the WAL alone, of which a standby that begins asks for a segment from its beginning.
    const sentBytes = Number(await source(`SELECT pg_current_wal_lsn() - '${from}'`));
    for (const { name, readBytes } of taken) ok(readBytes < sentBytes + 32 * mib, `${name}: ${readBytes} bytes read`);
  });

  test("a database on each: its balances add up, and it has what was committed before its snapshot and nothing else", async () => {
    for (const one of taken) {
      await makePasswordSecret(kubectl, vdbOf(one));
      await applyVdb(kubectl, vdbOf(one));
    }
    for (const { name, snapshot, asked } of taken) {
      const vdb = vdbOf({ name });
      await waitForPhase(kubectl, vdb, "Ready");
      const [accounts, ...others] = (await sqlInPod(kubectl, vdb, sums)).split("|");
      deepEqual(others, [accounts, accounts, accounts], `${name}: the balances add up`);
      const there = numbers(await sqlInPod(kubectl, vdb, listed("ledger")));
      const at = `'${snapshot.location}'`;
      const due = numbers(await source(listed(`committed WHERE lsn <= ${at}`)));
      const later = numbers(await source(listed(`ledger WHERE began > ${at} OR at > '${snapshot.timestamp}'`)));
      equal(
        await sqlInPod(kubectl, vdb, "SET enable_seqscan = off; SELECT count(*) FROM pgbench_accounts WHERE aid > 0"),
        `${scale}00000`,
      );
      console.log(
        `${name}: ${asked.size} were committed when it was asked for, ${due.size} at its position, ${there.size} are there; ${later.size} came later; sum ${accounts}`,
      );
      ok(asked.size > 0 && later.size > 0, "pgbench has written before it and since");
      deepEqual(lacking(asked, there), [], `${name}: committed before it was asked for`);
      deepEqual(lacking(due, there), [], `${name}: committed before its position`);
      equal([...later].filter((n) => there.has(n)).length, 0, `${name}: nothing of later`);
    }
  });
});
