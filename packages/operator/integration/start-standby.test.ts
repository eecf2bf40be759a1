/** The read-only way to run: spec.mode Standby, on PostgreSQL 16.2. */
import { deepEqual, equal, match, notEqual, throws } from "node:assert/strict";
import { existsSync, lstatSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { hbaFile } from "../src/postgres/hba.ts";
import { preparationCommand, preparationResult, type ServerState } from "../src/postgres/prepare.ts";
import { saltFor, scramVerifier } from "../src/postgres/scram.ts";
import { copyCluster, newCluster, type Pod, type PodOptions, scratch } from "./testing/postgres.ts";
import { answering, start, stateOf } from "./testing/started.ts";
import { until } from "./testing/until.ts";

const standby = { env: { VDB_MODE: "Standby" } };
const preparing = { env: { VDB_MODE: "Preparing" } };
const primary = { env: { VDB_MODE: "Primary" } };
const verifierOf = (password: string): string => scramVerifier(password, saltFor("uid", "app"));

/** As the operator asks it, with the gate open. */
function ask(pod: Pod, password: string, lockOtherRoles = false): ServerState {
  const verifier = verifierOf(password);
  const wanted = { hba: hbaFile("x", "open"), settings: "", role: "app", database: "postgres", verifier, lockOtherRoles };
  const { command, stdin } = preparationCommand(wanted);
  return stateOf(preparationResult(pod.exec(command, stdin)));
}

const timeline = "SELECT timeline_id FROM pg_control_checkpoint()";
const isReadOnly = (pod: Pod): string => pod.sql("SELECT pg_is_in_recovery()");

/** The next container of the pod, started otherwise. */
async function next(pod: Pod, how: Partial<PodOptions>, signal?: NodeJS.Signals): Promise<Pod> {
  await pod.stop(signal);
  return await answering(await pod.again(how));
}

describe("mode Standby", { timeout: 200_000 }, () => {
  const mine = scratch();
  const source = join(mine.path, "source");
  const copy = (name: string): string => {
    const mount = join(mine.path, name);
    copyCluster(source, mount);
    rmSync(join(mount, "data/postmaster.pid"), { force: true });
    return mount;
  };

  before(async () => {
    newCluster(source);
    const pod = await start(source, "", "source");
    pod.sql("CREATE ROLE app LOGIN; CREATE TABLE t AS SELECT generate_series(1, 100) AS n");
    await pod.stop();
  });
  after(() => mine[Symbol.dispose]());

  test("reads and never writes; back as Primary it goes on where it was, on the same timeline", async () => {
    const first = await start(copy("there-and-back"));
    first.sql("INSERT INTO t VALUES (101)");
    const from = first.sql(timeline);
    const second = await next(first, standby);
    equal(isReadOnly(second), "t");
    equal(second.sql("SELECT count(*) FROM t"), "101");
    throws(() => second.sql("INSERT INTO t VALUES (102)"), /read-only transaction/u);
    // The start script does it once the server answers, and before the operator opens the gate to anyone.
    await until("promotion is held", async () =>
      lstatSync(join(second.mount, "data/promote"), { throwIfNoEntry: false }) ? true : undefined,
    );
    throws(() => second.sql("SELECT pg_promote()"), /could not create file "promote"/u);
    equal(isReadOnly(second), "t");
    const third = await next(second, primary);
    equal(isReadOnly(third), "f");
    equal(existsSync(join(third.mount, "data/standby.signal")), false);
    third.sql("INSERT INTO t VALUES (102)");
    deepEqual([third.sql("SELECT count(*) FROM t"), third.sql(timeline)], ["102", from]);
    await third.stop();
  });

  test("killed, it comes up as it was; killed on its way back, it loses nothing either", async () => {
    const first = await start(copy("killed"));
    first.sql("INSERT INTO t VALUES (101)");
    const second = await next(await next(first, standby), standby, "SIGKILL");
    deepEqual([isReadOnly(second), second.sql("SELECT count(*) FROM t")], ["t", "101"]);
    const third = await next(second, primary, "SIGKILL");
    third.sql("INSERT INTO t VALUES (102)");
    equal(third.sql("SELECT count(*) FROM t"), "102");
    await third.stop();
  });

  test("a copy of a running one is a database of its own", async () => {
    const original = await next(await start(copy("original")), standby);
    const mount = join(mine.path, "copied");
    copyCluster(original.mount, mount);
    const copied = await start(mount, "", "another");
    equal(isReadOnly(copied), "f");
    copied.sql("INSERT INTO t VALUES (101)");
    await Promise.all([original.stop(), copied.stop()]);
  });

  test("what a killed server has left open is ended first: no lock of it stays", async () => {
    const first = await start(copy("open-transaction"));
    const client = first.sql("CREATE EXTENSION IF NOT EXISTS plpgsql; SELECT 1"); // the server is there
    equal(client, "1");
    const session = first.exec([
      "sh",
      "-c",
      `psql -qXAt -h "$VDB_RUN" -U postgres -d postgres -c "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; INSERT INTO t VALUES (-1); SELECT pg_sleep(60)" >/dev/null 2>&1 &
       until [ "$(psql -qXAt -h "$VDB_RUN" -U postgres -d postgres -c "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")" = 1 ]; do sleep 0.1; done
       psql -qXAt -h "$VDB_RUN" -U postgres -d postgres -c "SELECT pg_log_standby_snapshot(), txid_current()"`,
    ]);
    equal(session.exitCode, 0, session.stderr);
    const second = await next(first, standby, "SIGKILL");
    equal(isReadOnly(second), "t");
    equal(second.sql("SET statement_timeout = '5s'; SELECT count(*) FROM t"), "100");
    await second.stop();
  });

  test("data of a server with wal_level minimal can be followed too", async () => {
    const settings = "wal_level = 'minimal'\nmax_wal_senders = '0'\n";
    const first = await start(copy("minimal"), settings);
    first.sql("INSERT INTO t VALUES (101)");
    const second = await next(first, { ...standby, settings });
    deepEqual([isReadOnly(second), second.sql("SELECT count(*) FROM t")], ["t", "101"]);
    await second.stop();
  });

  test("no setting of anybody leads to another server, and the gate of a Preparing one is shut", async () => {
    const first = await start(copy("nowhere"));
    for (const setting of [
      "primary_conninfo = 'host=production'",
      "restore_command = 'touch /tmp/restored; false'",
      "hot_standby = off",
    ])
      first.sql(`ALTER SYSTEM SET ${setting}`);
    const second = await next(first, standby);
    deepEqual(
      ["primary_conninfo", "restore_command", "hot_standby"].map((name) => second.sql(`SHOW ${name}`)),
      ["", "", "on"],
    );
    equal(second.sql("SELECT count(*) FROM pg_stat_wal_receiver"), "0");
    const admits = "SELECT count(*) FROM pg_hba_file_rules WHERE type <> 'local'";
    equal(second.sql(admits), "1");
    const third = await next(second, preparing);
    deepEqual([isReadOnly(third), third.sql(admits)], ["f", "0"]);
    await third.stop();
  });

  test("asked what it lacks, it says so and changes nothing", async () => {
    const first = await start(copy("asked"));
    const asked = ask(first, "a-good-password");
    deepEqual([asked.isStandby, asked.needsWriting], [false, false]);
    const second = await next(first, standby);
    const same = ask(second, "a-good-password");
    deepEqual([same.isStandby, same.needsWriting, same.roleExists, same.loginFailure], [true, false, true, ""]);
    equal(ask(second, "another-password").needsWriting, true);
    equal(second.sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'app'"), verifierOf("a-good-password"));
    const third = await next(second, preparing);
    third.sql("ALTER ROLE app NOLOGIN");
    const fourth = await next(third, standby);
    deepEqual([ask(fourth, "a-good-password").needsWriting, ask(fourth, "a-good-password", true).needsWriting], [false, true]);
    await fourth.stop();
  });

  test("a backup can be begun and ended on it; a setting takes a reload or a restart as ever", async () => {
    const pod = await next(await start(copy("backup")), standby);
    const stopped = pod.sql("SELECT pg_backup_start('x', true) \\g /dev/null\nCHECKPOINT;\nSELECT pg_backup_stop()");
    match(stopped, /START WAL LOCATION/u);
    notEqual(stopped, "");
    await pod.stop();
  });
});
