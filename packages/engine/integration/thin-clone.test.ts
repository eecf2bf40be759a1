/** The path everything stands on: link a running database, snapshot, provision, use, delete. Real PostgreSQL, real btrfs. */
import { deepEqual, doesNotMatch, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { allOf, createDctClient, DctError, eq, resolveDataset, type Snapshot } from "@vdb/dct";
import { Agent, request } from "undici";
import {
  apiKeyOf,
  dataDir,
  declared,
  type EngineProcess,
  firstSnapshot,
  inPool,
  jobEnd,
  poolDir,
  provisioned,
  startEngineProcess,
  succeeded,
} from "./testing/engine.ts";
import { contentOf, type Server, startOnClone, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

describe("thin clones of a running database", { timeout: 300_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let source: Server;
  let engine: EngineProcess;
  let snapshot: Snapshot;

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = stack.use(await startSource(scratch, "production", 3, ["max_prepared_transactions=5"]));
    engine = stack.use(
      await startEngineProcess(scratch, { config: { dsources: [declared("production", source.port, { sync: "copy" })] } }),
    );
    snapshot = await firstSnapshot(engine, "production");
  });
  after(() => stack.disposeAsync());

  test("a declared dSource is linked by itself, and says what it is", async () => {
    const resolved = await resolveDataset(engine.client, "delphix-engine:production");
    ok(resolved.ok, "found by the name that people write");
    const { dataset, latestSnapshot } = resolved.value;
    equal(dataset.status, "Linked");
    equal(dataset.database_version, "16");
    equal(latestSnapshot?.id, snapshot.id);
    equal(snapshot.consistency, "CONSISTENT");
    match(snapshot.location ?? "", /^[0-9A-F]+\/[0-9A-F]+$/u);
    ok(Math.abs(Date.parse(snapshot.timestamp ?? "") - Date.now()) < 60_000);
    equal((await engine.client.searchEnvironments())[0]?.hosts?.[0]?.hostname, "test-node");
  });

  test("two clones hold the source's rows, start without recovery, and are independent of it and of each other", async () => {
    const [a, b] = await Promise.all([
      provisioned(engine.client, snapshot.id, "a"),
      provisioned(engine.client, snapshot.id, "b"),
    ]);
    equal(statSync(join(a.exported_data_directory, "data")).uid, 999);
    equal(statSync(join(a.exported_data_directory, "data")).mode & 0o777, 0o700);
    deepEqual(readdirSync(a.exported_data_directory), ["data"], "nothing but the data folder reaches the pod");
    const fresh = a.storage_size ?? Number.NaN;
    ok(fresh < 1_000_000 && (a.size ?? 0) > 40_000_000, `a fresh clone holds ${fresh} of ${a.size} bytes alone`);

    await using first = await startOnClone(scratch, a.exported_data_directory);
    await using second = await startOnClone(scratch, b.exported_data_directory);
    doesNotMatch(first.log(), /redo starts|not properly shut down|recovery/u);
    match(first.log(), /database system was shut down at/u);
    const content = contentOf(source);
    equal(contentOf(first), content);
    equal(contentOf(second), content);

    first.sql("UPDATE pgbench_accounts SET abalance = 1 WHERE aid <= 10");
    source.sql("UPDATE pgbench_accounts SET abalance = 2 WHERE aid <= 10");
    equal(contentOf(second), content);
    notEqual(contentOf(first), content);
    notEqual(contentOf(source), contentOf(first));
  });

  test("metrics count the jobs that have run, and tell how old the dSource's data is", async () => {
    const key = apiKeyOf(scratch);
    await using opened = new AsyncDisposableStack();
    const ca = readFileSync(join(dataDir(scratch), "tls.crt"), "utf8");
    const agent = opened.adopt(new Agent({ connect: { ca } }), (used) => used.destroy());
    const headers = { authorization: `apk ${key}` };
    const text = await (await request(`${engine.url}/metrics`, { dispatcher: agent, headers })).body.text();
    const sample = (name: string, labels: string): number =>
      Number(
        text
          .split("\n")
          .find((line) => line.startsWith(name) && line.includes(labels))
          ?.split(" ")
          .at(-1),
      );
    equal(sample("delphix_engine_jobs_total", 'type="DB_PROVISION",result="completed"'), 2);
    equal(sample("delphix_engine_job_seconds_count", "DB_PROVISION"), 2);
    ok(sample("delphix_engine_pool_used_bytes", "") > 40_000_000, text);
    const age = (Date.now() - Date.parse(snapshot.timestamp ?? "")) / 1000;
    ok(Math.abs(sample("delphix_engine_dsource_lag_seconds", 'name="production"') - age) < 10, text);
    equal(sample("delphix_engine_dsource_failing", 'name="production"'), 0);
  });

  test("a snapshot taken later holds what was written since, and the earlier one does not", async () => {
    source.sql("CREATE TABLE later AS SELECT 42 AS answer");
    const [production] = await engine.client.searchDSources(eq("name", "production"));
    await succeeded(engine.client, (await engine.client.snapshotDSource(production?.id ?? "")).jobId);
    const newest = await firstSnapshot(engine, "production");
    notEqual(newest.id, snapshot.id);
    const [old, fresh] = [
      await provisioned(engine.client, snapshot.id, "old"),
      await provisioned(engine.client, newest.id, "fresh"),
    ];
    await using then = await startOnClone(scratch, old.exported_data_directory);
    await using now = await startOnClone(scratch, fresh.exported_data_directory);
    equal(then.sql("SELECT to_regclass('later') IS NULL"), "t");
    equal(now.sql("SELECT answer FROM later"), "42");
  });

  test("the source's settings come through untouched, and cannot disturb the recovery", async () => {
    source.sql("ALTER SYSTEM SET shared_preload_libraries = 'no_such_library'");
    source.sql("ALTER SYSTEM SET archive_command = 'exit 1'");
    source.sql("BEGIN; CREATE TABLE prepared (x int); PREPARE TRANSACTION 'kept'");
    const settings = readFileSync(join(scratch.path, "production/data/postgresql.auto.conf"), "utf8");
    const [production] = await engine.client.searchDSources(eq("name", "production"));
    await succeeded(engine.client, (await engine.client.snapshotDSource(production?.id ?? "")).jobId);
    const newest = await firstSnapshot(engine, "production");
    const data = join(poolDir(scratch), "snapshots", newest.id, "data");
    equal(readFileSync(join(data, "postgresql.auto.conf"), "utf8"), settings);
    match(settings, /no_such_library/u);
    const files = readdirSync(data);
    for (const left of ["postmaster.pid", "backup_label", "recovery.signal", "postgresql.auto.conf.aside"])
      ok(!files.includes(left), left);
    deepEqual(readdirSync(join(data, "pg_twophase")).length, 1, "a prepared transaction is not lost");
    source.sql("ROLLBACK PREPARED 'kept'");
    source.sql("ALTER SYSTEM RESET ALL");
  });

  test("a VDB can be snapshotted while it runs, and cloned again", async () => {
    const parent = await provisioned(engine.client, snapshot.id, "parent");
    await using server = await startOnClone(scratch, parent.exported_data_directory);
    server.sql("CREATE TABLE mine AS SELECT 7 AS x");
    await succeeded(engine.client, (await engine.client.snapshotVdb(parent.id)).jobId);
    const [own, first, ...more] = await engine.client.searchSnapshots(eq("dataset_id", parent.id), { sort: "-timestamp" });
    deepEqual([own?.consistency, first?.consistency, more.length], ["CRASH_CONSISTENT", "CONSISTENT", 0]);
    const child = await provisioned(engine.client, own?.id ?? "", "child");
    equal(child.parent_id, parent.id);
    equal(child.parent_dsource_id, snapshot.dataset_id);
    await using grandchild = await startOnClone(scratch, child.exported_data_directory);
    equal(grandchild.sql("SELECT x FROM mine"), "7");
  });

  test("a VDB is a source at once, with its data as of now: what was committed last is in the copy", async () => {
    const parent = await provisioned(engine.client, snapshot.id, "origin");
    const resolved = await resolveDataset(engine.client, "delphix-engine:origin");
    ok(resolved.ok && resolved.value.kind === "VDB");
    const [first] = await engine.client.searchSnapshots(eq("dataset_id", parent.id));
    equal(resolved.value.latestSnapshot?.id, first?.id, "the one that was taken when it was made");
    await using server = await startOnClone(scratch, parent.exported_data_directory);
    server.sql("CREATE TABLE written (x int)");
    for (const x of [1, 2]) {
      server.sql(`INSERT INTO written VALUES (${x})`);
      const { vdbId, jobId } = await engine.client.provisionBySnapshot({ source_data_id: parent.id, name: `copy-${x}` });
      await succeeded(engine.client, jobId);
      const copy = await engine.client.getVdb(vdbId);
      const timestamp = copy?.parent_timeflow_timestamp ?? "";
      const [taken, ...more] = await engine.client.searchSnapshots(
        allOf(eq("dataset_id", parent.id), eq("timestamp", timestamp)),
      );
      deepEqual([taken?.consistency, more.length], ["CRASH_CONSISTENT", 0]);
      await using its = await startOnClone(scratch, copy?.exported_data_directory ?? "");
      equal(its.sql("SELECT max(x) FROM written"), String(x));
    }
  });

  test("another owner of the data is set at provisioning", async () => {
    const appdata_source_params = { ownership_spec: "70:71" };
    const vdb = await provisioned(engine.client, snapshot.id, "owned", { appdata_source_params });
    for (const path of ["data", "data/PG_VERSION", "data/base"]) {
      const { uid, gid } = statSync(join(vdb.exported_data_directory, path));
      deepEqual([uid, gid], [70, 71], path);
    }
    await rejects(
      engine.client.provisionBySnapshot({
        snapshot_id: snapshot.id,
        name: "x",
        appdata_source_params: { ownership_spec: "root" },
      }),
      { kind: "refused" },
    );
  });

  test("a name is given once in a group; what does not exist is refused", async () => {
    const twice = await Promise.allSettled(
      [1, 2].map(() => engine.client.provisionBySnapshot({ snapshot_id: snapshot.id, name: "once" })),
    );
    deepEqual(twice.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
    const refused = twice.find((one) => one.status === "rejected");
    ok(refused?.reason instanceof DctError && refused.reason.kind === "conflict");
    match(refused.reason.message, /a VDB once already exists in group Untitled/u);
    await rejects(engine.client.provisionBySnapshot({ snapshot_id: "1-APPDATA_SNAPSHOT-999" }), { kind: "notFound" });
    await rejects(engine.client.provisionBySnapshot({ snapshot_id: snapshot.id, target_group_id: "nowhere" }), {
      kind: "refused",
    });
    equal(await engine.client.getVdb("nobody"), undefined);
    await rejects(engine.client.deleteVdb("nobody"), { kind: "notFound" });
  });

  test("enable and disable are kept", async () => {
    const vdb = await provisioned(engine.client, snapshot.id, "switched");
    await succeeded(engine.client, (await engine.client.disableVdb(vdb.id)).jobId);
    const disabled = await engine.client.getVdb(vdb.id);
    deepEqual([disabled?.enabled, disabled?.containerization_state], [false, "READY_FOR_CONTAINER"]);
    await succeeded(engine.client, (await engine.client.enableVdb(vdb.id)).jobId);
    equal((await engine.client.getVdb(vdb.id))?.enabled, true);
  });

  test("a wrong key is refused on every path, health checks need none", async () => {
    const caPem = readFileSync(join(dataDir(scratch), "tls.crt"), "utf8");
    await using stranger = createDctClient({ url: engine.url, apiKey: "1.wrong", caPem });
    await rejects(stranger.searchVdbs(), { kind: "unauthorized" });
    await using other = createDctClient({
      url: `${engine.url}/dct/v3`,
      apiKey: apiKeyOf(scratch),
      caPem,
    });
    equal((await other.searchEngines())[0]?.name, "delphix-engine", "the newer base path answers, too");
  });

  test("a second engine on the same folder does not start", async () => {
    await rejects(startEngineProcess(scratch), /another engine runs on this folder/u);
    equal((await engine.client.searchEngines()).length, 1, "the first one goes on");
  });

  test("no password is in the log, in the answers or readable on the disk", async () => {
    const words = [engine.log(), JSON.stringify(await engine.client.searchDSources())].join("");
    ok(!words.includes("a password"), "the link's password");
    for (const file of ["admin.sock", "tls.key", "catalogue.db", "catalogue.db-wal", "pool.img"])
      equal(statSync(join(dataDir(scratch), file)).mode & 0o077, 0, file);
  });

  test("a dSource with VDBs is not deleted; after its VDBs nothing is left of it", async () => {
    const [production] = await engine.client.searchDSources(eq("name", "production"));
    await rejects(
      engine.client.deleteDSource(production?.id ?? ""),
      (error) => error instanceof DctError && error.kind === "conflict" && error.message.includes("has VDBs: "),
    );
    for (const { id } of await engine.client.searchVdbs())
      equal((await jobEnd(engine.client, (await engine.client.deleteVdb(id)).jobId)).kind, "succeeded");
    deepEqual(inPool(scratch).vdbs, []);
    deepEqual(
      inPool(scratch).snapshots,
      (await engine.client.searchSnapshots(eq("dataset_id", production?.id ?? ""))).map(({ id }) => id).toSorted(),
    );
  });
});
