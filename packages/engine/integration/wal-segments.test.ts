/** Sources with WAL segments of other sizes than 16 MB: linked, recovered, cloned, and the clone's data is theirs. */
import { deepEqual, doesNotMatch, equal } from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isFullTier } from "kube-runtime/testing";
import { declared, firstSnapshot, provisioned, startEngineProcess } from "./testing/engine.ts";
import { contentOf, startOnClone, startSource } from "./testing/postgres.ts";
import { scratchFolder } from "./testing/scratch.ts";

/** The smallest, one that the default of min_wal_size does not hold twice, and the largest, which writes gigabytes. */
const sizesMB = isFullTier ? [1, 2, 4, 8, 32, 64, 128, 256, 512, 1024] : [1, 64];

describe("WAL segments", { timeout: 600_000 }, () => {
  for (const sizeMB of sizesMB)
    test(`of ${sizeMB} MB`, async () => {
      await using scratch = scratchFolder();
      await using source = await startSource(scratch, "production", 1, [], { initdb: [`--wal-segsize=${sizeMB}`] });
      const config = { pool: { size: "6Gi", reserve: "32Mi" }, dsources: [declared("production", source.port)] };
      await using engine = await startEngineProcess(scratch, { config });
      const snapshot = await firstSnapshot(engine, "production");
      const vdb = await provisioned(engine.client, snapshot.id, "clone");
      const wal = join(vdb.exported_data_directory, "data/pg_wal");
      const files = readdirSync(wal).filter((name) => name.length === 24);
      deepEqual([...new Set(files.map((name) => statSync(join(wal, name)).size))], [sizeMB * 2 ** 20]);
      await using server = await startOnClone(scratch, vdb.exported_data_directory);
      doesNotMatch(server.log(), /redo starts|not properly shut down/u);
      equal(contentOf(server), contentOf(source));
    });
});
