/** The operations that the project itself does not send, on real bytes: every way to name a point in time, retention, abandoning. */
import { deepEqual, equal, notEqual } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { map, type Snapshot } from "@vdb/dct";
import { sampled, testSeed } from "kube-runtime/testing";
import {
  callByHand,
  declared,
  type EngineProcess,
  firstSnapshot,
  jobEnd,
  provisioned,
  startEngineProcess,
  succeeded,
} from "./testing/engine.ts";
import { nothingLost } from "./testing/killed-at.ts";
import { startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

describe("operations on real bytes", { timeout: 300_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let snapshot: Snapshot;

  before(async () => {
    scratch = stack.use(scratchFolder());
    const source = stack.use(await startSource(scratch, "production", 1));
    await using engine = await startEngineProcess(scratch, { config: { dsources: [declared("production", source.port)] } });
    snapshot = await firstSnapshot(engine, "production");
  });
  after(() => stack.disposeAsync());

  const jobOf = async (engine: EngineProcess, method: "POST" | "PATCH", path: string, body: object = {}): Promise<string> => {
    const answer = await callByHand(engine, scratch, method, path, body);
    equal(Math.floor(answer.status / 100), 2, JSON.stringify(answer.body));
    return textOf(map(answer.body["job"], "job")["id"]);
  };

  test("a VDB of each way to name a point in time, by the defaults of each", async () => {
    await using engine = await startEngineProcess(scratch);
    const { client } = engine;
    const source_data_id = textOf(snapshot.dataset_id);
    const bookmarked = await client.createBookmark({ name: "monday", snapshot_ids: [snapshot.id] });
    await succeeded(client, bookmarked.jobId);
    for (const [way, point] of [
      ["by_snapshot", { snapshot_id: snapshot.id }],
      ["by_timestamp", { source_data_id, timestamp: textOf(snapshot.timestamp) }],
      ["by_location", { source_data_id, location: textOf(snapshot.location) }],
      ["from_bookmark", { bookmark_id: bookmarked.bookmark.id }],
    ] as const) {
      const defaults = await callByHand(engine, scratch, "POST", `/vdbs/provision_${way}/defaults`, point);
      const made = await callByHand(engine, scratch, "POST", `/vdbs/provision_${way}`, defaults.body);
      equal(made.status, 200, JSON.stringify(made.body));
      await succeeded(client, textOf(map(made.body["job"], "job")["id"]));
      const id = textOf(made.body["vdb_id"]);
      const vdb = await client.getVdb(id);
      deepEqual([vdb?.parent_timeflow_timestamp, vdb?.name], [snapshot.timestamp, defaults.body["name"]], way);
      await succeeded(client, await jobOf(engine, "PATCH", `/vdbs/${id}`, { name: `named ${way}`, description: "d" }));
      equal((await client.getVdb(id))?.name, `named ${way}`);
      await succeeded(client, (await client.deleteVdb(id)).jobId);
    }
    await succeeded(client, (await client.deleteBookmark(bookmarked.bookmark.id)).jobId);
    await nothingLost(scratch, engine);
  });

  test("a snapshot goes after its last day", async () => {
    await using engine = await startEngineProcess(scratch);
    const vdb = await provisioned(engine.client, snapshot.id, "expires");
    await succeeded(engine.client, (await engine.client.snapshotVdb(vdb.id)).jobId);
    const left = async (): Promise<readonly string[]> =>
      (await engine.client.searchSnapshots()).filter((one) => one.dataset_id === vdb.id).map(({ id }) => id);
    const [first = "", second = ""] = await left();
    await succeeded(engine.client, await jobOf(engine, "PATCH", `/snapshots/${first}`, { expiration: "2026-01-01" }));
    await succeeded(
      engine.client,
      await jobOf(engine, "PATCH", `/snapshots/${second}`, { expiration: "2026-01-01", retain_forever: true }),
    );
    while ((await left()).includes(first)) await sleep(200);
    deepEqual(await left(), [second]);
    await succeeded(engine.client, (await engine.client.deleteVdb(vdb.id)).jobId);
    await nothingLost(scratch, engine);
  });

  const points = ["DB_REFRESH:started", "DB_REFRESH:snapshotted", "DB_REFRESH:swapped", "DB_REFRESH:acted"];
  for (const holdAt of sampled("operations", points, 2))
    test(`a refresh that is abandoned at ${holdAt} leaves the data as it was, and nothing else`, async (t) => {
      t.diagnostic(`TEST_SEED=${testSeed}`);
      await using engine = await startEngineProcess(scratch, { holdAt });
      const { client } = engine;
      const vdb = await provisioned(client, snapshot.id, "abandoned");
      const { jobId } = await client.refreshBySnapshot(vdb.id, {});
      await engine.logged('"msg":"stopped at a failpoint"');
      await client.abandonJob(jobId);
      const end = await jobEnd(client, jobId);
      deepEqual([end.kind, (await client.getJob(jobId))?.status], ["failed", "ABANDONED"]);
      const now = await client.getVdb(vdb.id);
      deepEqual([now?.current_timeflow_id, now?.previous_timeflow_id], [vdb.current_timeflow_id, undefined]);
      notEqual(now?.status, "DELETING");
      await nothingLost(scratch, engine);
      await succeeded(client, (await client.deleteVdb(vdb.id)).jobId);
    });
});
