/** For tests of refreshes and rewinds of a database in DCT: its stage. */
import { postgresRefresh, postgresRewind, vdbRefresh, vdbRewind } from "@vdb/api";
import { dSourceId, type FakeDctOptions, FakeWorld, fakeDct } from "@vdb/dct/testing";
import { type ActionBench, actionBench } from "../action-bench.ts";

const kinds = [vdbRefresh, vdbRewind, postgresRefresh, postgresRewind];
export const spec = { vdbRef: { name: "orders" } };

export interface Stage {
  readonly bench: ActionBench;
  readonly world: FakeWorld;
  readonly current: () => string | undefined;
}

/** An open database on the VDB vdb-1, whose dSource has two snapshots, and it one of its own. */
export async function stage(options: FakeDctOptions = {}): Promise<Stage> {
  const world = new FakeWorld();
  const parent = dSourceId("production");
  world.sources.add("production");
  world.timestamps = ["2025-12-31T23:00:00Z", "2026-01-01T00:00:00Z"];
  const first = { id: "tf-1", dataset_id: "vdb-1", creation_type: "INITIAL" };
  world.timeflows.set("tf-1", first);
  world.vdbs.set("vdb-1", {
    id: "vdb-1",
    name: "orders",
    engine_id: world.engine.id,
    parent_id: parent,
    current_timeflow_id: "tf-1",
  });
  world.vdbSnapshots.set("own-1", { id: "own-1", name: "@own", dataset_id: "vdb-1", timestamp: "2026-01-01T00:30:00Z" });
  const bench = await actionBench(kinds, fakeDct(world, options));
  const content = { id: "c1", madeBy: "create", openedTime: "2026-01-01T00:10:00Z", claimName: "orders-c1", handle: "vdb-1" };
  const ready = "Ready";
  const at = { lastTransitionTime: "2026-01-01T00:00:00Z", message: "as declared", observedGeneration: 1 };
  await bench.setVdb({ delphixID: "vdb-1", content, conditions: [{ type: ready, status: "True", reason: ready, ...at }] });
  return { bench, world, current: () => world.vdbs.get("vdb-1")?.current_timeflow_id };
}

export const changes = (world: FakeWorld): readonly string[] =>
  world.jobs.map(({ type = "" }) => type).filter((type) => ["DB_REFRESH", "DB_ROLLBACK", "DB_SWITCH_TIMEFLOW"].includes(type));
