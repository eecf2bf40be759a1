import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { backUp } from "../admin/backup.ts";
import { addApiKey, apiKeys } from "./api-keys.ts";
import { openCatalogue } from "./catalogue.ts";
import { poolUuid, recordPool } from "./engine-row.ts";
import { restoreStaged, stageBackup } from "./restore.ts";

const pool = "00000000-0000-0000-0000-000000000001";

interface Scene extends Disposable {
  readonly folder: string;
  readonly file: string;
  readonly backup: Buffer;
}

/** A backup with key `before` and sequence 5, and a catalogue that went on to key `after` and sequence 7. */
async function scene(): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), "restore-"));
  const file = join(folder, "catalogue.db");
  using catalogue = openCatalogue(file);
  recordPool(catalogue, pool);
  addApiKey(catalogue, "before");
  for (let n = 0; n < 5; n += 1) catalogue.next("job");
  const backup = await backUp(catalogue, folder);
  addApiKey(catalogue, "after");
  for (let n = 0; n < 2; n += 1) catalogue.next("job");
  return { folder, file, backup, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

function requireRestored({ folder, file }: Scene): void {
  using catalogue = openCatalogue(file);
  deepEqual(
    apiKeys(catalogue).map(({ name }) => name),
    ["before"],
  );
  equal(poolUuid(catalogue), pool);
  equal(catalogue.next("job"), 1_000_006, "no id is given away a second time");
  equal(existsSync(join(folder, "catalogue.restore")), false);
}

describe("a staged backup", () => {
  test("takes the catalogue's place once, and what was there stays beside it", async () => {
    using given = await scene();
    await stageBackup(given.folder, given.backup, pool);
    equal(restoreStaged(given.folder), true);
    requireRestored(given);
    equal(restoreStaged(given.folder), false, "the next start finds nothing to restore");
    using replaced = openCatalogue(join(given.folder, "catalogue.replaced.db"));
    deepEqual(
      apiKeys(replaced).map(({ name }) => name),
      ["after", "before"],
    );
  });

  for (const { name, interrupt } of [
    {
      name: "before it was staged whole",
      interrupt: ({ folder }: Scene) => writeFileSync(join(folder, "catalogue.restore.new"), "x"),
    },
    { name: "after the log was set aside", interrupt: ({ file }: Scene) => rmSync(`${file}-wal`, { force: true }) },
    { name: "after the catalogue was set aside", interrupt: ({ file }: Scene) => renameSync(file, `${file}.aside`) },
    { name: "and the catalogue is damaged", interrupt: ({ file }: Scene) => writeFileSync(file, "x".repeat(20_000)) },
  ]) {
    test(`cut short ${name}: the next start completes it`, async () => {
      using given = await scene();
      await stageBackup(given.folder, given.backup, pool);
      interrupt(given);
      equal(restoreStaged(given.folder), true);
      requireRestored(given);
    });
  }

  test("waits for an engine that still runs", async () => {
    using given = await scene();
    using running = openCatalogue(given.file);
    await stageBackup(given.folder, given.backup, pool);
    throws(() => restoreStaged(given.folder), { name: "CatalogueInUse" });
    equal(apiKeys(running).length, 2);
  });

  test("of another pool, damaged, or no backup at all is refused and not staged", async () => {
    using given = await scene();
    const { folder, backup } = given;
    await rejects(stageBackup(folder, backup, "00000000-0000-0000-0000-000000000002"), /restore the backup of this pool/u);
    const damaged = Buffer.concat([backup.subarray(0, 4096), Buffer.alloc(4096, 7), backup.subarray(8192)]);
    await rejects(stageBackup(folder, damaged, pool), /is no backup of a catalogue/u);
    await rejects(stageBackup(folder, Buffer.from("nothing"), pool), /is no backup of a catalogue/u);
    equal(restoreStaged(folder), false);
  });
});
