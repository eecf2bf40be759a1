/** Pools of earlier builds, in which a VDB's bytes lie at its stable path itself. */
import { deepEqual, equal } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openCatalogue } from "../src/catalogue/catalogue.ts";
import { schemaVersions } from "../src/catalogue/schema.ts";
import { fileSystemNames } from "../src/pool/file-system.ts";
import { migrateTimeflows } from "../src/pool/migrate.ts";
import { mountPool } from "../src/pool/mount.ts";
import { openPool } from "../src/pool/open.ts";
import { scratchFolder, unmount } from "./testing/scratch.ts";

/** What an engine before timeflows has left. */
function formerCatalogue(file: string, vdbs: readonly (readonly [id: string, state: string])[]): void {
  const db = new DatabaseSync(file);
  for (const schema of schemaVersions.slice(0, 3)) db.exec(schema);
  db.exec(`PRAGMA user_version = 3;
    INSERT INTO dataset_group VALUES ('g', 'g');
    INSERT INTO environment VALUES ('e', 'e', 'r', 'r');`);
  for (const [id, state] of vdbs)
    db.exec(`INSERT INTO vdb VALUES ('${id}', '${id}', 'g', 'e', '${state}', 1, 's', 'd', 'd', '2026-01-01', 'd', '16', '1:1', NULL,
      '{}', '{}', '[]', 'flow-${id}', '2026-01-02');`);
  db.close();
}

for (const fileSystem of fileSystemNames)
  test(`on ${fileSystem} its VDBs keep their bytes, their path and their mounts; a migration that was cut short is completed`, async () => {
    await using scratch = scratchFolder();
    const place = { imageFile: join(scratch.path, "pool.img"), mountPoint: join(scratch.path, "pool") };
    await mountPool(place, { sizeBytes: 512 * 2 ** 20, holdsData: false, fileSystem });
    const pool = await openPool(place, fileSystem);
    const file = join(scratch.path, "catalogue.db");
    const all = ["runs", "rests", "cut"] as const;
    formerCatalogue(file, [...all.map((id) => [id, "ready"] as const), ["unmade", "creating"], ["half-gone", "deleting"]]);
    for (const id of all) {
      await pool.create(`vdbs/${id}`);
      writeFileSync(join(pool.pathOf(`vdbs/${id}`), "file"), id);
    }
    const pod = join(scratch.path, "pod");
    mkdirSync(pod);
    execFileSync("mount", ["--bind", pool.pathOf("vdbs/runs"), pod]);
    renameSync(pool.pathOf("vdbs/cut"), pool.pathOf("timeflows/flow-cut"));

    using catalogue = openCatalogue(file);
    for (let start = 0; start < 2; start += 1) {
      await migrateTimeflows(catalogue, pool);
      for (const id of all) {
        equal(await pool.leadsTo(`vdbs/${id}`), `timeflows/flow-${id}`);
        equal(readFileSync(join(pool.pathOf(`vdbs/${id}`), "file"), "utf8"), id);
      }
    }
    writeFileSync(join(pod, "file"), "written by the pod");
    equal(readFileSync(join(pool.pathOf("timeflows/flow-runs"), "file"), "utf8"), "written by the pod");
    deepEqual(pool.mountsOf("timeflows/flow-runs"), [pod], "a VDB that runs is known to be mounted");
    for (const id of ["unmade", "half-gone"]) equal(await pool.leadsTo(`vdbs/${id}`), undefined);
    await unmount(pod);
  });
