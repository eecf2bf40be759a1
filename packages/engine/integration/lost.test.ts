/** A catalogue or a pool that is lost or exchanged: never another database under an old id, never an empty pool below full rows. */
import { deepEqual, equal, notEqual, ok, rejects } from "node:assert/strict";
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Snapshot } from "@vdb/dct";
import { dataDir, declared, firstSnapshot, inPool, poolDir, provisioned, startEngineProcess } from "./testing/engine.ts";
import { contentOf, type Server, startOnClone, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder, unmount } from "./testing/scratch.ts";

const moveCatalogue = (from: string, to: string): void => {
  for (const file of readdirSync(from).filter((name) => name.startsWith("catalogue.db")))
    renameSync(join(from, file), join(to, file));
};

describe("catalogue and pool belong together", { timeout: 300_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let source: Server;
  let snapshot: Snapshot;
  let vdbId: string;
  let pool: string | undefined;

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = stack.use(await startSource(scratch, "production", 1));
    await using engine = await startEngineProcess(scratch, { config: { dsources: [declared("production", source.port)] } });
    snapshot = await firstSnapshot(engine, "production");
    const vdb = await provisioned(engine.client, snapshot.id, "kept");
    [vdbId, pool] = [vdb.id, vdb.exported_data_pool];
  });
  after(() => stack.disposeAsync());

  const image = (): string => join(dataDir(scratch), "pool.img");
  const aside = (): string => join(scratch.path, "pool.img");
  test("ids begin with a number that was drawn", () => {
    notEqual(vdbId.split("-")[0], "1");
    equal(vdbId.split("-")[0], snapshot.id.split("-")[0]);
    ok(/^[0-9a-f-]{36}$/u.test(pool ?? ""));
  });

  test("a pool that is missing is not replaced by an empty one", async () => {
    await unmount(poolDir(scratch));
    renameSync(image(), aside());
    await rejects(startEngineProcess(scratch), /pool\.img is missing, but the catalogue lists data in it/u);
    equal(existsSync(image()), false);
  });

  test("the pool of another catalogue is refused, and does not make this engine ready", async () => {
    moveCatalogue(dataDir(scratch), scratch.path);
    await using other = await startEngineProcess(scratch, { config: { dsources: [] } });
    const [engine] = await other.client.searchEngines();
    notEqual(engine?.id, vdbId.split("-")[0], "another catalogue, another number");
    await other.stop();
    rmSync(join(dataDir(scratch), "catalogue.db"));
    moveCatalogue(scratch.path, dataDir(scratch));
    await rejects(startEngineProcess(scratch), /is mounted at .* but the catalogue's data is in pool/u);
  });

  test("with its own pool back, the engine has everything it had", async () => {
    await unmount(poolDir(scratch));
    renameSync(aside(), image());
    await using engine = await startEngineProcess(scratch);
    const vdb = await engine.client.getVdb(vdbId);
    equal(vdb?.exported_data_pool, pool);
    await using server = await startOnClone(scratch, vdb?.exported_data_directory ?? "");
    equal(contentOf(server), contentOf(source));
  });

  test("a new catalogue on the old pool repeats no id, and takes no old folder for its own work", async () => {
    moveCatalogue(dataDir(scratch), scratch.path);
    source.sql("CREATE TABLE later AS SELECT 1 AS x");
    await using engine = await startEngineProcess(scratch, { config: { dsources: [declared("production", source.port)] } });
    const newest = await firstSnapshot(engine, "production");
    const vdb = await provisioned(engine.client, newest.id, "kept");
    ok(vdb.id !== vdbId && newest.id !== snapshot.id);
    equal(await engine.client.getVdb(vdbId), undefined);
    await rejects(engine.client.deleteVdb(vdbId), { kind: "notFound" });
    deepEqual(inPool(scratch).vdbs, [vdb.id, vdbId].toSorted(), "the old one is still there for who has it mounted");
    await using server = await startOnClone(scratch, vdb.exported_data_directory);
    equal(server.sql("SELECT x FROM later"), "1", "new data, not the old");
  });
});
