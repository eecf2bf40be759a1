/** A source with tablespaces: its snapshots and clones have them in their own data folder, and nobody else's place is touched. */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eq, type Snapshot } from "@vdb/dct";
import { isFullTier } from "kube-runtime/testing";
import {
  declared,
  type EngineProcess,
  firstSnapshot,
  inPool,
  poolDir,
  provisioned,
  startEngineProcess,
  succeeded,
  writeConfig,
} from "./testing/engine.ts";
import { program, runClient, type Server, startOnClone, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";
import { makeTablespace, unseenPlace } from "./testing/tablespaces.ts";

const mib = 2 ** 20;
const sums = "SELECT (SELECT sum(x) FROM far), (SELECT sum(x) FROM near), (SELECT count(*) FROM pg_tablespace)";

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name));

for (const major of isFullTier ? [14, 15, 16, 17, 18] : [16])
  describe(`tablespaces of PostgreSQL ${major}`, { timeout: 600_000 }, () => {
    const stack = new AsyncDisposableStack();
    let scratch: Scratch;
    let place: string;
    let source: Server;
    let engine: EngineProcess;
    let first: Snapshot;

    before(async () => {
      scratch = stack.use(scratchFolder(major >= 17 ? [major] : [major, ...(isFullTier ? [18] : [])]));
      place = unseenPlace(scratch);
      source = stack.use(await startSource(scratch, "production", 1, [], { unseen: place, initdb: ["--data-checksums"] }));
      makeTablespace(source, place, "one");
      source.sql("CREATE TABLE far TABLESPACE one AS SELECT generate_series(1, 200000) AS x");
      source.sql("CREATE TABLE near AS SELECT generate_series(1, 50000) AS x");
      source.sql("CREATE INDEX near_x ON near (x) TABLESPACE one");
      source.sql("CREATE DATABASE apart TABLESPACE one");
      inApart(source, "CREATE TABLE words AS SELECT 'in it' AS word");
      engine = stack.use(
        await startEngineProcess(scratch, { config: { dsources: [declared("production", source.port, { sync: "copy" })] } }),
      );
      first = await firstSnapshot(engine, "production");
    });
    after(() => stack.disposeAsync());

    const inApart = ({ port }: Server, sql: string): string =>
      runClient(scratch, "psql", port, ["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, "-d", "apart"]).trim();
    const folderOf = ({ id }: Snapshot): string => join(poolDir(scratch), "snapshots", id);
    const oidOf = (name: string): string => source.sql(`SELECT oid FROM pg_tablespace WHERE spcname = '${name}'`);
    const taken = async (): Promise<Snapshot> => {
      await succeeded(engine.client, (await engine.client.snapshotDSource(first.dataset_id ?? "")).jobId);
      return await firstSnapshot(engine, "production");
    };

    test("a clone has tables, indexes and a database of a tablespace, all within its data folder", async () => {
      const vdb = await provisioned(engine.client, first.id, "clone");
      deepEqual(readdirSync(vdb.exported_data_directory), ["data"]);
      deepEqual(readdirSync(place), [], "nothing is written where the source has it");
      const link = join(vdb.exported_data_directory, "data/pg_tblspc", oidOf("one"));
      equal(readlinkSync(link), `../vdb-tablespaces/${oidOf("one")}`);
      execFileSync(program(scratch, "pg_checksums"), ["--check", "-D", join(folderOf(first), "data")], { stdio: "pipe" });
      await using server = await startOnClone(scratch, vdb.exported_data_directory);
      equal(server.sql(sums), source.sql(sums));
      equal(server.sql("SET enable_seqscan = off; SELECT count(x) FROM near WHERE x > 10"), "49990");
      equal(inApart(server, "SELECT word FROM words"), "in it");
      equal(server.log().includes("WARNING"), false, server.log());

      const files = filesBelow(folderOf(first)).length;
      server.sql("UPDATE far SET x = 0");
      server.sql("CREATE TABLE more TABLESPACE one AS SELECT generate_series(1, 1000) AS x; CHECKPOINT;");
      equal(filesBelow(folderOf(first)).length, files, "the snapshot stays as it was");
      notEqual(source.sql(sums), server.sql(sums));
    });

    test("a clone of another owner, moved elsewhere and killed: its server starts and writes", async () => {
      const vdb = await provisioned(engine.client, first.id, "owned", { appdata_source_params: { ownership_spec: "1234:1234" } });
      const data = join(vdb.exported_data_directory, "data");
      for (const file of filesBelow(join(data, "vdb-tablespaces"))) equal(statSync(file).uid, 1234, file);
      const moved = join(scratch.path, "moved");
      execFileSync("cp", ["--archive", `${vdb.exported_data_directory}/.`, moved]);
      renameSync(join(moved, "data"), join(moved, "elsewhere"));
      mkdirSync(join(moved, "deep"));
      renameSync(join(moved, "elsewhere"), join(moved, "deep/data"));
      chmodSync(moved, 0o755);
      await using server = await startOnClone(scratch, join(moved, "deep"), 1234);
      server.sql("CREATE TABLE mine TABLESPACE one AS SELECT 7 AS x");
      equal(server.sql("SELECT x FROM mine"), "7");
      equal(server.sql(sums), source.sql(sums));
    });

    test("a snapshot of a VDB has them too, and a refresh brings the source's newer rows", async () => {
      const vdb = await provisioned(engine.client, first.id, "kept");
      {
        await using server = await startOnClone(scratch, vdb.exported_data_directory);
        server.sql("INSERT INTO far VALUES (1000000)");
        await succeeded(engine.client, (await engine.client.snapshotVdb(vdb.id)).jobId);
      }
      const [own] = await engine.client.searchSnapshots(eq("dataset_id", vdb.id), { sort: "-timestamp", limit: 1 });
      const copy = await provisioned(engine.client, own?.id ?? "", "copy-of-kept");
      await using recovered = await startOnClone(scratch, copy.exported_data_directory);
      equal(recovered.sql("SELECT max(x) FROM far"), "1000000");
      equal(inApart(recovered, "SELECT word FROM words"), "in it");
      source.sql("INSERT INTO far VALUES (2000000)");
      const { id } = await taken();
      await succeeded(engine.client, (await engine.client.refreshBySnapshot(vdb.id, { snapshot_id: id })).jobId);
      await using refreshed = await startOnClone(scratch, vdb.exported_data_directory);
      equal(refreshed.sql(sums), source.sql(sums));
    });

    test("a later snapshot writes what differs alone, also in a tablespace", async () => {
      source.sql("UPDATE far SET x = x WHERE x <= 10; CHECKPOINT;");
      await taken();
      const said = engine
        .log()
        .split("\n")
        .filter((line) => line.includes("a base backup has come"));
      const written = Number(/"writtenBytes":(\d+)/u.exec(said.at(-1) ?? "")?.[1]);
      ok(said.length > 1 && written < 2 * mib, `${written} bytes`);
    });

    test("one more, and the first one gone: the next snapshot has what the source has", async () => {
      const former = oidOf("one");
      makeTablespace(source, place, "two");
      source.sql("ALTER TABLE far SET TABLESPACE two; ALTER INDEX near_x SET TABLESPACE two;");
      const both = await taken();
      deepEqual(readdirSync(join(folderOf(both), "data/pg_tblspc")), [former, oidOf("two")].toSorted());
      source.sql("DROP DATABASE apart");
      source.sql("DROP TABLESPACE one");
      makeTablespace(source, place, "three");
      source.sql("CREATE TABLE other TABLESPACE three AS SELECT generate_series(1, 1000) AS x");
      const changed = await taken(); // as many as before, and not the same
      deepEqual(readdirSync(join(folderOf(changed), "data/vdb-tablespaces")), [oidOf("two"), oidOf("three")].toSorted());
      const vdb = await provisioned(engine.client, changed.id, "changed");
      await using server = await startOnClone(scratch, vdb.exported_data_directory);
      equal(server.sql(sums), source.sql(sums));
      equal(server.sql("SELECT count(*) FROM other"), "1000");
      source.sql("DROP TABLE other; ALTER TABLE far SET TABLESPACE pg_default; ALTER INDEX near_x SET TABLESPACE pg_default;");
      for (const name of ["two", "three"]) source.sql(`DROP TABLESPACE ${name}`);
      const none = await taken();
      deepEqual(readdirSync(join(folderOf(none), "data/pg_tblspc")), []);
      equal(existsSync(join(folderOf(none), "data/vdb-tablespaces")), false);
    });

    test("a clone as a source: what is copied of it is whole", async () => {
      makeTablespace(source, place, "last");
      source.sql("ALTER TABLE far SET TABLESPACE last");
      const vdb = await provisioned(engine.client, (await taken()).id, "middle");
      await using server = await startOnClone(scratch, vdb.exported_data_directory);
      writeConfig(scratch, {
        dsources: [declared("production", source.port, { sync: "copy" }), declared("second-hand", server.port)],
      });
      const end = await provisioned(engine.client, (await firstSnapshot(engine, "second-hand")).id, "end");
      await using last = await startOnClone(scratch, end.exported_data_directory);
      equal(last.sql(sums), source.sql(sums));
      match(last.sql("SELECT pg_relation_filepath('far')"), /^pg_tblspc\//u);
      deepEqual(inPool(scratch).work, []);
      deepEqual(readdirSync(place), []);
    });
  });
