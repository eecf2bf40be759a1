/** The DCT of these tests: up or down as the test says, its VDBs those that the played cluster made up. */
import { type DctClient, DctError, type Engine } from "@vdb/dct";
import { dSourceId, FakeWorld, fakeDct as playDct } from "@vdb/dct/testing";

export interface FakeDct {
  up: boolean;
  readonly sources: Set<string>;
  /** What its engine says of its storage. */
  storage: Partial<Pick<Engine, "data_storage_capacity" | "data_storage_used" | "data_storage_reserve">>;
  /** What it counts of a VDB's bytes, by its id. */
  readonly sizes: Map<string, { readonly own: number; readonly seen: number }>;
  /** Names, by which a VDB is found as a source. */
  readonly vdbs: { readonly set: (name: string, id: string) => void };
  /** When the data of its VDBs is from; that of the newest snapshot unless set. */
  takenAt: string;
  /** What was asked for, in order: "disable <id>". */
  readonly asked: string[];
  readonly isEnabled: (id: string) => boolean;
  /** Gives a VDB new data, as a refresh does, on a timeflow of that id; what it had stays. */
  readonly replaceData: (id: string, timeflow: string) => void;
  readonly timeflowsOf: (id: string) => readonly string[];
  readonly client: DctClient;
  calls: number;
}

/** `jobMs`: how long a job runs. */
export function fakeDct(jobMs = 30): FakeDct {
  const world = new FakeWorld();
  const parent = dSourceId("production");
  world.timestamps = ["2025-12-31T23:00:00Z", "2026-01-01T00:00:00Z"];
  const state = {
    up: true,
    sources: world.sources,
    takenAt: "2026-01-01T00:00:00Z",
    storage: {},
    sizes: new Map<string, { readonly own: number; readonly seen: number }>(),
    asked: new Array<string>(),
    calls: 0,
  };
  world.assume = (id) => ({ id, enabled: true, parent_id: parent, parent_timeflow_timestamp: state.takenAt });
  const beforeCall = (call: string, id: string): void => {
    state.calls += 1;
    if (!state.up) throw new DctError("unreachable", "connect ECONNREFUSED 10.0.0.1:443");
    if (call === "enable" || call === "disable") state.asked.push(`${call} ${id}`);
  };
  const played = playDct(world, { jobs: jobMs, beforeCall });
  const vdbs = {
    set: (name: string, id: string) =>
      void world.vdbs.set(id, { ...world.vdb(id), id, name, engine_id: world.engine.id, size: 2 ** 30 }),
  };
  const client: DctClient = {
    ...played,
    searchEngines: async (...asked) => (await played.searchEngines(...asked)).map((engine) => ({ ...engine, ...state.storage })),
    searchVdbs: async (...asked) =>
      (await played.searchVdbs(...asked)).map((vdb) => {
        const bytes = state.sizes.get(vdb.id);
        return bytes === undefined ? vdb : { ...vdb, storage_size: bytes.own, size: bytes.seen };
      }),
  };
  return Object.assign(state, {
    vdbs,
    replaceData: (id: string, timeflow: string) => {
      const { current_timeflow_id: before, ...vdb } = world.vdb(id) ?? { id };
      world.timeflows.set(timeflow, { id: timeflow, dataset_id: id });
      world.vdbs.set(id, {
        ...vdb,
        current_timeflow_id: timeflow,
        ...(before === undefined ? {} : { previous_timeflow_id: before }),
      });
    },
    timeflowsOf: (id: string) => [...world.timeflows.values()].flatMap((one) => (one.dataset_id === id ? [one.id] : [])),
    isEnabled: (id: string) => world.vdb(id)?.enabled === true,
    client,
  });
}
