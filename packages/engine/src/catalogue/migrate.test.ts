import { deepEqual, equal } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openCatalogue } from "./catalogue.ts";
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
          NULL, '{}', '{}', '[]', 't', '2026-01-01');
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
