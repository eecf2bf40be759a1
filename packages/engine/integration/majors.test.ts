/** One engine that has PostgreSQL 14 to 18 copies, recovers and clones a source of each. Full tier: it fetches four majors. */
import { doesNotMatch, equal, match } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eq } from "@vdb/dct";
import { isFullTier } from "kube-runtime/testing";
import {
  declared,
  type EngineProcess,
  firstSnapshot,
  provisioned,
  startEngineProcess,
  succeeded,
  writeConfig,
} from "./testing/engine.ts";
import { contentOf, startOnClone, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

const majors = [14, 15, 16, 17, 18];

describe("sources of each major version", { skip: !isFullTier, timeout: 600_000 }, () => {
  const stack = new AsyncDisposableStack();
  let all: Scratch;
  let engine: EngineProcess;

  before(async () => {
    all = stack.use(scratchFolder(majors));
    engine = stack.use(await startEngineProcess(all, { config: { dsources: [] } }));
  });
  after(() => stack.disposeAsync());

  for (const major of majors) {
    test(`PostgreSQL ${major}: a snapshot, a clone that starts without recovery, and a clone of the clone's snapshot`, async () => {
      const scratch: Scratch = { ...all, major };
      const name = `production${major}`;
      await using source = await startSource(scratch, name, 1);
      writeConfig(scratch, { dsources: [declared(name, source.port)] });
      const snapshot = await firstSnapshot(engine, name);
      const [dsource] = await engine.client.searchDSources(eq("name", name));
      equal(dsource?.database_version, String(major));

      const vdb = await provisioned(engine.client, snapshot.id, `clone${major}`);
      equal(readFileSync(join(vdb.exported_data_directory, "data/PG_VERSION"), "utf8").trim(), String(major));
      source.sql("UPDATE pgbench_accounts SET abalance = 1 WHERE aid % 100 = 0");
      await succeeded(engine.client, (await engine.client.snapshotDSource(dsource?.id ?? "")).jobId);
      const later = await provisioned(engine.client, (await firstSnapshot(engine, name)).id, `later${major}`);
      await using changed = await startOnClone(scratch, later.exported_data_directory);
      equal(contentOf(changed), contentOf(source));
      source.sql("UPDATE pgbench_accounts SET abalance = 0 WHERE aid % 100 = 0");

      await using clone = await startOnClone(scratch, vdb.exported_data_directory);
      doesNotMatch(clone.log(), /redo starts|not properly shut down/u);
      match(clone.log(), new RegExp(`starting PostgreSQL ${major}\\.`, "u"));
      equal(contentOf(clone), contentOf(source));
      equal(clone.sql("SHOW data_checksums"), source.sql("SHOW data_checksums"));

      clone.sql("CREATE TABLE mine AS SELECT 7 AS x");
      await succeeded(engine.client, (await engine.client.snapshotVdb(vdb.id)).jobId);
      const [own] = await engine.client.searchSnapshots(eq("dataset_id", vdb.id), { sort: "-timestamp", limit: 1 });
      const second = await provisioned(engine.client, own?.id ?? "", `second${major}`);
      await using again = await startOnClone(scratch, second.exported_data_directory);
      equal(again.sql("SELECT x FROM mine"), "7");
    });
  }
});
