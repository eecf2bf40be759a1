/** What the data needs of settings, whatever the manifest says; on PostgreSQL 16.2. */
import { deepEqual, equal, match } from "node:assert/strict";
import { appendFileSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { copyCluster, newCluster, scratch, startPod } from "./testing/postgres.ts";
import { answering, noted, prepare, start, stateOf } from "./testing/started.ts";

describe("what the data needs", { timeout: 200_000 }, () => {
  const mine = scratch();
  const source = join(mine.path, "source");
  const copy = (name: string): string => {
    const mount = join(mine.path, name);
    copyCluster(source, mount);
    rmSync(join(mount, "data/postmaster.pid"), { force: true });
    return mount;
  };
  const gids = "SELECT string_agg(gid, ',' ORDER BY gid) FROM pg_prepared_xacts";

  before(async () => {
    newCluster(source);
    appendFileSync(join(source, "data/postgresql.conf"), "max_prepared_transactions = 5\n");
    const pod = await start(source, "", "source");
    pod.sql("CREATE TABLE t (n int); BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'in a file'; CHECKPOINT");
    pod.sql("BEGIN; INSERT INTO t VALUES (2); PREPARE TRANSACTION 'in the WAL'");
    await pod.stop("SIGKILL");
  });
  after(() => mine[Symbol.dispose]());

  test("prepared transactions get the room that they need, whatever the manifest says, until they are gone", async () => {
    const settings = "max_prepared_transactions = '0'\n";
    const pod = await start(copy("both"), settings);
    deepEqual([pod.sql(gids), pod.sql("SHOW max_prepared_transactions")], ["in a file,in the WAL", "5"]);
    equal(noted(pod), undefined);
    const { pendingRestart, pendingElsewhere } = stateOf(prepare(pod, settings));
    deepEqual([pendingRestart, pendingElsewhere], [[], []]);
    const more = stateOf(prepare(pod, "max_prepared_transactions = '9'\n"));
    deepEqual(more.pendingRestart, ["max_prepared_transactions"], "a manifest with more is heard");
    for (const gid of ["in a file", "in the WAL"]) pod.sql(`ROLLBACK PREPARED '${gid}'`);
    await pod.stop();
    const next = await answering(await startPod(pod.mount, { contentId: "x", settings }));
    equal(next.sql("SHOW max_prepared_transactions"), "0");
    await next.stop();
  });

  test("those that came with the copy are told, its own are not", async () => {
    const pod = await start(copy("told"));
    const last = Math.floor(Number(pod.sql("SELECT extract(epoch FROM max(prepared)) FROM pg_prepared_xacts")));
    utimesSync(join(pod.mount, "data/vdb-content-id"), last, last); // as of a copy that was made in that very second
    pod.sql("BEGIN; INSERT INTO t VALUES (3); PREPARE TRANSACTION 'of its own'");
    const result = prepare(pod, "");
    const { preparedTransactions } = stateOf(result);
    deepEqual(
      preparedTransactions.map(({ gid, owner: role, database }) => [gid, role, database]),
      [
        ["in a file", "postgres", "postgres"],
        ["in the WAL", "postgres", "postgres"],
      ],
    );
    match(preparedTransactions[0]?.since ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u);
    await pod.stop();
  });

  test("a server that follows another's WAL gets what that one had", async () => {
    const mount = copy("standby");
    await (await start(mount)).stop();
    const settings = "max_connections = '20'\nmax_worker_processes = '1'\nmax_wal_senders = '0'\n";
    const pod = await answering(await startPod(mount, { contentId: "x", settings, env: { VDB_MODE: "Standby" } }));
    equal(pod.sql("SELECT pg_is_in_recovery()"), "t");
    deepEqual(
      ["max_connections", "max_worker_processes", "max_wal_senders"].map((name) => pod.sql(`SHOW ${name}`)),
      ["100", "8", "10"],
    );
    await pod.stop();
  });
});
