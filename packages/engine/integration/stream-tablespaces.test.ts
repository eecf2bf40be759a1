/** A streamed source with tablespaces: what changes in them is streamed, another one makes the next snapshot a copy. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Snapshot } from "@vdb/dct";
import { provisioned } from "./testing/engine.ts";
import { startOnClone } from "./testing/postgres.ts";
import { type Streamed, startStreamed } from "./testing/streamed.ts";
import { makeTablespace, unseenPlace } from "./testing/tablespaces.ts";

const sums = "SELECT (SELECT sum(x) FROM far), (SELECT count(*) FROM pg_tablespace)";

describe("a streamed source with tablespaces", { timeout: 600_000 }, () => {
  let link: Streamed;
  let place: string;
  before(async () => {
    link = await startStreamed([], (scratch) => {
      place = unseenPlace(scratch);
      return place;
    });
  });
  after(() => link[Symbol.asyncDispose]());

  let clones = 0;
  const isTheSource = async (snapshot: Snapshot): Promise<void> => {
    await link.isTheSource(snapshot);
    clones += 1;
    const vdb = await provisioned(link.engine.client, snapshot.id, `with-tablespaces-${clones}`);
    await using server = await startOnClone(link.scratch, vdb.exported_data_directory);
    equal(server.sql(sums), link.source.sql(sums));
    deepEqual(readdirSync(place), [], "nothing is written where the source has it");
  };

  test("the source makes one: the standby ends at once, the next snapshot is a copy, and those after it are streamed", async () => {
    await link.streams();
    const former = link.copies();
    makeTablespace(link.source, place, "one");
    link.source.sql("CREATE TABLE far TABLESPACE one AS SELECT generate_series(1, 100000) AS x");
    await link.said(/the source has made a tablespace; the next snapshot copies the source/u);
    await isTheSource(await link.synced());
    equal(link.copies(), former + 1);
    await link.streams();
    link.source.sql("UPDATE far SET x = x + 1");
    await isTheSource(await link.synced());
    equal(link.copies(), former + 1, "what changes in a tablespace is streamed");
  });

  test("tables move out of one, and it is dropped: that is streamed", async () => {
    const former = link.copies();
    link.source.sql("ALTER TABLE far SET TABLESPACE pg_default");
    link.source.sql("DROP TABLESPACE one");
    const snapshot = await link.synced();
    await isTheSource(snapshot);
    equal(link.copies(), former);
    deepEqual(readdirSync(join(link.folderOf(snapshot), "data/pg_tblspc")), []);
  });

  test("one is made and dropped between two snapshots: a copy", async () => {
    const former = link.copies();
    makeTablespace(link.source, place, "short");
    link.source.sql("DROP TABLESPACE short");
    await isTheSource(await link.synced());
    ok(link.copies() > former);
    match(link.engine.log(), /the source has made a tablespace/u);
  });
});
