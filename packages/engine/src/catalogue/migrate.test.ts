import { deepEqual, equal } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openCatalogue } from "./catalogue.ts";
import { readyTimeflows, vdbById } from "./datasets.ts";
import { isHeld } from "./holds.ts";
import { schemaVersions } from "./schema.ts";

test("a provisioning that an engine without holds has accepted keeps its snapshot, an ended one does not", () => {
  const folder = mkdtempSync(join(tmpdir(), "catalogue-"));
  try {
    const file = join(folder, "catalogue.db");
    const db = new DatabaseSync(file);
    for (const schema of schemaVersions.slice(0, 2)) db.exec(schema);
    db.exec(`PRAGMA user_version = 2;
      INSERT INTO dataset_group VALUES ('g', 'g');
      INSERT INTO environment VALUES ('e', 'e', 'r', 'r');`);
    for (const [name, status] of [
      ["waits", "PENDING"],
      ["ended", "COMPLETED"],
    ] as const)
      db.exec(`INSERT INTO vdb VALUES ('${name}', '${name}', 'g', 'e', 'creating', 0, 'of-${name}', 'p', 'p', NULL, 'd', NULL, '1:1',
          NULL, '{}', '{}', '[]', 't-${name}', '2026-01-01');
        INSERT INTO job (id, type, status, target_id, target_name, parameters, percent_complete, created, updated)
          VALUES ('${name}', 'DB_PROVISION', '${status}', '${name}', '${name}', '{}', 0, '2026-01-01', '2026-01-01');`);
    db.close();
    using catalogue = openCatalogue(file);
    deepEqual([isHeld(catalogue, "of-waits"), isHeld(catalogue, "of-ended")], [true, false]);
    catalogue.run("DELETE FROM job WHERE id = 'waits'");
    equal(isHeld(catalogue, "of-waits"), false, "a job that is forgotten holds nothing");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what a VDB of an earlier build began with becomes its first timeflow's", () => {
  const folder = mkdtempSync(join(tmpdir(), "catalogue-"));
  try {
    const file = join(folder, "catalogue.db");
    const db = new DatabaseSync(file);
    for (const schema of schemaVersions.slice(0, 3)) db.exec(schema);
    db.exec(`PRAGMA user_version = 3;
      INSERT INTO dataset_group VALUES ('g', 'g');
      INSERT INTO environment VALUES ('e', 'e', 'r', 'r');
      INSERT INTO dsource VALUES ('d', 'd', 'g', 1, 'linked', NULL, '{"host":"h","port":1,"user":"u","sslmode":"prefer"}', '[]', 't-d', '2026-01-01');
      INSERT INTO snapshot VALUES ('s', 'd', 'dSource', 'ready', 'link', 't-d', '2026-01-01', '0/1', 'CONSISTENT', '16', '1:1', '2026-01-01');
      INSERT INTO vdb VALUES ('v', 'v', 'g', 'e', 'ready', 1, 's', 'd', 'd', '2026-01-01', 'd', '16', '1:1', NULL, '{}', '{}', '[]', 't-v',
        '2026-01-02');
      INSERT INTO job (id, type, status, target_id, target_name, parameters, percent_complete, created, updated)
        VALUES ('j', 'DB_PROVISION', 'STARTED', 'v', 'v', '{"snapshotId":"s"}', 0, '2026-01-01', '2026-01-01');
      INSERT INTO hold VALUES ('j', 's');`);
    db.close();
    using catalogue = openCatalogue(file);
    const vdb = vdbById(catalogue, "v");
    deepEqual([vdb?.snapshot_id, vdb?.parent_timestamp, vdb?.database_version], ["s", "2026-01-01", "16"]);
    deepEqual(
      readyTimeflows(catalogue).map((one) => [one.id, one.dataset_id, one.creation_type, one.parent_timeflow_id]),
      [
        ["t-v", "v", "INITIAL", "t-d"],
        ["t-d", "d", "INITIAL", undefined],
      ],
    );
    equal(isHeld(catalogue, "s"), true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
