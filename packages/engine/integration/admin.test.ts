/** What an administrator does beside the API: keys, the comparison of catalogue and pool, a catalogue that is lost and restored. */
import { deepEqual, doesNotMatch, equal, match, ok, rejects } from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { createDctClient, type DctClient, eq, type Snapshot } from "@vdb/dct";
import {
  dataDir,
  declared,
  type EngineProcess,
  firstSnapshot,
  poolDir,
  provisioned,
  startEngineProcess,
  succeeded,
} from "./testing/engine.ts";
import { contentOf, type Server, startOnClone, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

const main = new URL("../src/main.ts", import.meta.url).pathname;

const numberOf = (id: string): number => Number(id.split("-").at(-1));

interface Ended {
  readonly status: number;
  readonly said: string;
}

describe("an administrator", { timeout: 300_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let source: Server;
  let engine: EngineProcess;
  let snapshot: Snapshot;

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = stack.use(await startSource(scratch, "production", 1));
    engine = await startEngineProcess(scratch, { config: { dsources: [declared("production", source.port)] } });
    stack.defer(() => engine[Symbol.asyncDispose]());
    snapshot = await firstSnapshot(engine, "production");
  });
  after(() => stack.disposeAsync());

  /** The program as it is called in the engine's container. */
  const command = (...args: readonly string[]): Promise<Ended> =>
    new Promise((resolve) => {
      execFile(process.execPath, [main, ...args, `--data-dir=${dataDir(scratch)}`], (error, stdout, stderr) =>
        resolve({ status: typeof error?.code === "number" ? error.code : 0, said: stdout + stderr }),
      );
    });
  const clientWith = (apiKey: string): DctClient =>
    createDctClient({ url: engine.url, apiKey, caPem: readFileSync(join(dataDir(scratch), "tls.crt"), "utf8") });

  test("gives each program a key of its own, sees in the log which one did what, and revokes one without the others", async () => {
    const [ci, nightly] = [(await command("keys-add", "ci")).said.trim(), (await command("keys-add", "nightly")).said.trim()];
    await using first = clientWith(ci);
    await using second = clientWith(nightly);
    await succeeded(engine.client, (await first.provisionBySnapshot({ snapshot_id: snapshot.id, name: "by-ci" })).jobId);
    equal((await second.searchVdbs(eq("name", "by-ci"))).length, 1);
    match(engine.log(), /"method":"POST","path":"\/v3\/vdbs\/provision_by_snapshot","status":200,"key":"ci"/u);
    match((await command("keys")).said, /^ci\t\S+\t\d{4}-.*\nnightly\t/u);
    deepEqual(await command("keys-add", "ci"), {
      status: 2,
      said: "there is an API key ci already: choose another name, or revoke it first\n",
    });
    deepEqual(await command("keys-revoke", "ci"), { status: 0, said: "the engine refuses API key ci from now on\n" });
    deepEqual(await command("keys-revoke", "ci"), { status: 2, said: "there is no API key ci\n" });
    await rejects(first.searchVdbs(), { kind: "unauthorized" });
    equal((await second.searchVdbs()).length, 1);
    for (const key of [ci, nightly]) doesNotMatch(engine.log(), new RegExp(key.slice(2), "u"));
    equal(statSync(join(dataDir(scratch), "admin.sock")).mode & 0o077, 0, "root alone may ask");
    match((await command("nonsense")).said, /usage: engine COMMAND/u);
  });

  test("is told that catalogue and pool agree, and what differs, by name", async () => {
    const agreed = await command("check");
    deepEqual(agreed, { status: 0, said: "catalogue and pool agree: 1 VDBs, 1 timeflows, 2 snapshots compared\n" });
    const vdb = await provisioned(engine.client, snapshot.id, "damaged");
    const [own] = await engine.client.searchSnapshots(eq("dataset_id", vdb.id));
    const [timeflow] = await engine.client.searchTimeflows(eq("dataset_id", vdb.id));
    rmSync(join(poolDir(scratch), "vdbs", vdb.id));
    writeFileSync(join(poolDir(scratch), "timeflows", "stray"), "");
    writeFileSync(join(poolDir(scratch), "work", "stray"), "");
    const { status, said } = await command("check");
    equal(status, 1, said);
    deepEqual(said.split("\n").slice(0, 3).toSorted(), [
      `VDB damaged: its path vdbs/${vdb.id} leads to nothing, and the catalogue says timeflows/${timeflow?.id}`,
      "timeflows/stray is in the pool, and the catalogue does not know it",
      "work/stray is in the pool, and the catalogue does not know it",
    ]);
    match(said, /\n3 differences: 2 VDBs, 2 timeflows, 3 snapshots compared\n$/u);
    for (const stray of ["timeflows/stray", "work/stray"]) rmSync(join(poolDir(scratch), stray));
    await succeeded(engine.client, (await engine.client.deleteVdb(vdb.id)).jobId);
    equal(await engine.client.getSnapshot(own?.id ?? ""), undefined);
    equal((await command("check")).status, 0);
  });

  test("loses the catalogue, restores it from a backup, and has every database and snapshot back", async () => {
    const vdb = await provisioned(engine.client, snapshot.id, "kept");
    await succeeded(engine.client, (await engine.client.snapshotVdb(vdb.id)).jobId);
    const snapshots = (await engine.client.searchSnapshots()).map(({ id }) => id).toSorted();
    const backup = join(scratch.path, "backup.db");
    match((await command("backup", backup)).said, /backup\.db: \d+ bytes/u);
    equal(statSync(backup).mode & 0o077, 0);
    const late = await provisioned(engine.client, snapshot.id, "after-the-backup");
    await engine.kill();
    for (const file of readdirSync(dataDir(scratch)).filter((name) => name.startsWith("catalogue.")))
      rmSync(join(dataDir(scratch), file));

    engine = await startEngineProcess(scratch, { config: { dsources: [] } });
    deepEqual(await engine.client.searchVdbs(), [], "an empty catalogue");
    equal((await command("check")).status, 1);
    writeFileSync(join(scratch.path, "nonsense"), "x".repeat(10_000));
    match((await command("restore", join(scratch.path, "nonsense"))).said, /is no backup of a catalogue/u);
    equal((await engine.client.searchEngines()).length, 1, "what is refused stops nothing");
    const restored = await command("restore", backup);
    equal(restored.status, 0, restored.said);
    match(restored.said, /the engine stops; its next start begins with the backup's catalogue/u);
    await engine.logged("an administrator's command");
    await engine.stop();

    engine = await startEngineProcess(scratch, { config: { dsources: [declared("production", source.port)] } });
    match(engine.log(), /the catalogue of a backup has taken the place/u);
    equal(existsSync(join(dataDir(scratch), "catalogue.restore")), false);
    deepEqual((await engine.client.searchSnapshots()).map(({ id }) => id).toSorted(), snapshots);
    {
      await using server = await startOnClone(scratch, (await engine.client.getVdb(vdb.id))?.exported_data_directory ?? "");
      equal(contentOf(server), contentOf(source));
    }
    const { said } = await command("check");
    match(said, new RegExp(`^vdbs/${late.id} is in the pool, and the catalogue does not know it$`, "mu"));
    const next = await provisioned(engine.client, snapshot.id, "next");
    ok(numberOf(next.id) > numberOf(late.id) + 900_000, `${next.id} must not be an id that was given away after the backup`);
    await using server = await startOnClone(scratch, next.exported_data_directory);
    equal(contentOf(server), contentOf(source));
  });

  test("is told when no engine runs", async () => {
    await engine.stop();
    deepEqual(await command("check"), {
      status: 2,
      said: `no engine runs on ${dataDir(scratch)}: start it, or name its folder by --data-dir\n`,
    });
  });
});
