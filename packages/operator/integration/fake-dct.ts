/** A DCT with one engine, one dSource, one group and one environment, in memory; the test takes it up and down. */
import { type DctClient, DctError, type Engine, type Filter, type Job } from "@vdb/dct";

export interface FakeDct {
  up: boolean;
  readonly sources: Set<string>;
  /** What its engine says of its storage. */
  storage: Pick<Engine, "data_storage_capacity" | "data_storage_used" | "data_storage_reserve">;
  /** Ids of VDBs by the names under which they are found. */
  readonly vdbs: Map<string, string>;
  /** When the data of its VDBs is from; that of the newest snapshot unless set. */
  takenAt: string;
  /** The VDBs that are disabled, and what was asked for, in order: "disable <id>". */
  readonly disabled: Set<string>;
  readonly asked: string[];
  readonly client: DctClient;
  calls: number;
}

const refused = async (): Promise<never> => {
  throw new DctError("refused", "not played here");
};

/** How long a job runs. */
const jobMs = 30;

/** The value that a filter wants of a field. */
const wantedOf = (filter: Filter | undefined, field: string): string | undefined =>
  new RegExp(`\\b${field} EQ ['"]([^'"]*)['"]`, "u").exec(String(filter ?? ""))?.[1];

export function fakeDct(): FakeDct {
  const dct = {
    up: true,
    sources: new Set(["production"]),
    vdbs: new Map<string, string>(),
    storage: {},
    takenAt: "2026-01-01T00:00:00Z",
    disabled: new Set<string>(),
    asked: new Array<string>(),
    calls: 0,
  };
  const reach = (): void => {
    dct.calls += 1;
    if (!dct.up) throw new DctError("unreachable", "connect ECONNREFUSED 10.0.0.1:443");
  };
  const answer =
    <T extends object>(items: (filter?: Filter) => readonly T[]) =>
    async (filter?: Filter): Promise<readonly T[]> => {
      reach();
      const wanted = wantedOf(filter, "name");
      return items(filter).filter((item) => wanted === undefined || ("name" in item && item.name === wanted));
    };

  const jobs: { readonly job: Job; readonly endsAt: number }[] = [];
  const seenJob = ({ job, endsAt }: (typeof jobs)[number]): Job => ({
    ...job,
    status: performance.now() < endsAt ? "RUNNING" : "COMPLETED",
  });
  const start = (what: "enable" | "disable") => async (id: string) => {
    reach();
    dct.asked.push(`${what} ${id}`);
    const job = { id: `job-${jobs.length}`, status: "", type: `DB_${what.toUpperCase()}`, target_id: id };
    jobs.push({ job, endsAt: performance.now() + jobMs });
    setTimeout(() => (what === "enable" ? dct.disabled.delete(id) : dct.disabled.add(id)), jobMs);
    return { jobId: job.id };
  };
  /** Every id is that of a VDB. */
  const vdbById = (filter?: Filter) => {
    const name = wantedOf(filter, "name") ?? "";
    const id = wantedOf(filter, "id") ?? dct.vdbs.get(name);
    if (id === undefined) return [];
    const origin = { parent_id: "1-APPDATA_CONTAINER-production", parent_timeflow_timestamp: dct.takenAt };
    return [{ id, name, engine_id: "1", size: 2 ** 30, enabled: !dct.disabled.has(id), ...origin }];
  };

  const client: DctClient = {
    searchEngines: answer(() => [{ id: "1", name: "delphix-engine", hostname: "delphix-engine", ...dct.storage }]),
    searchEnvironments: answer(() => [{ id: "1-UNIX-1", name: "dev-env", engine_id: "1" }]),
    searchGroups: answer(() => [{ id: "1-GROUP-1", name: "Untitled", engine_id: "1" }]),
    searchDSources: answer(() =>
      [...dct.sources].map((name) => ({ id: `1-APPDATA_CONTAINER-${name}`, name, engine_id: "1", size: 3 * 2 ** 30 + 1 })),
    ),
    searchSnapshots: answer((filter) =>
      [
        { id: "1-APPDATA_SNAPSHOT-1", timestamp: "2026-01-01T00:00:00Z", version: "16.2" },
        { id: "1-APPDATA_SNAPSHOT-2", timestamp: "2026-01-01T01:00:00Z", version: "16.2" },
      ].filter(({ timestamp }) => timestamp === (wantedOf(filter, "timestamp") ?? "2026-01-01T00:00:00Z")),
    ),
    searchVdbs: answer(vdbById),
    searchBookmarks: answer(() => []),
    searchJobs: answer((filter) =>
      jobs.map(seenJob).filter(({ status, target_id }) => status === "RUNNING" && target_id === wantedOf(filter, "target_id")),
    ),
    getEngine: async () => undefined,
    getEnvironment: async () => undefined,
    getGroup: async () => undefined,
    getDSource: async () => undefined,
    getVdb: async () => undefined,
    getSnapshot: async () => undefined,
    getBookmark: async () => undefined,
    getJob: async (id) => {
      reach();
      return jobs.map(seenJob).find((job) => job.id === id);
    },
    provisionBySnapshot: refused,
    deleteVdb: refused,
    enableVdb: start("enable"),
    disableVdb: start("disable"),
    snapshotVdb: refused,
    deleteSnapshot: refused,
    linkAppData: refused,
    snapshotDSource: refused,
    deleteDSource: refused,
    [Symbol.asyncDispose]: async () => undefined,
  };
  return Object.assign(dct, { client });
}
