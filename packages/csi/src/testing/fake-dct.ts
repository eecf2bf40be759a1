/**
 * A DCT in memory for unit tests: one engine, one dSource, jobs that end when they are looked at. Any of its calls can be cut
 * off, before or after its effect, which is how a network and a killed process look from the driver.
 */
import {
  type DatasetGroup,
  DctError,
  type DSource,
  type Engine,
  type Environment,
  type Job,
  type Snapshot,
  type Vdb,
} from "@vdb/dct";
import type { Dct } from "../controller/dct-connection.ts";

export interface Cut {
  /** Which call, counted from 1. */
  readonly at: number;
  readonly when: "before" | "after";
}

export interface FakeDctOptions {
  readonly cut?: Cut;
  /** The words with which every provisioning fails. */
  readonly failure?: string;
  /** A real DCT shows a VDB only when its job is done; the embedded engine at once. */
  readonly showsEarly?: boolean;
  readonly snapshots?: readonly Snapshot[];
}

/** What outlives a driver that was killed. */
export class FakeWorld {
  readonly vdbs = new Map<string, Vdb>();
  readonly jobs: Job[] = [];
  /** VDBs by the job that makes or removes them, applied when the job ends. */
  readonly effects = new Map<string, () => void>();
  /** What every VDB was asked to be made from. */
  readonly origins: { source: string | undefined; snapshot: string | undefined }[] = [];
  #last = 0;
  /** Time passes: a job ends whether anybody looks or not. */
  letJobsEnd(): void {
    for (const job of this.jobs) if (job.status === "STARTED") this.effects.get(job.id)?.();
  }
  nextNumber(): number {
    this.#last += 1;
    return this.#last;
  }
}

export const engine: Engine = { id: "1", name: "delphix-engine", hostname: "delphix-engine.storage.svc" };
export const environment: Environment = {
  id: "1-ENV-1",
  name: "dev-env",
  engine_id: "1",
  hosts: [{ hostname: "node-a" }],
  repositories: [{ id: "1-REPO-1", name: "Empty vFile Repository" }],
};
const group: DatasetGroup = { id: "1-GROUP-1", name: "Untitled", engine_id: "1" };
const source: DSource = { id: "1-DSOURCE-1", name: "production", engine_id: "1", status: "RUNNING" };
const snapshot: Snapshot = { id: "1-APPDATA_SNAPSHOT-1", dataset_id: source.id, timestamp: "2026-01-01T00:00:00Z" };

export interface FakeDct extends Dct {
  /** How many calls were made. */
  readonly calls: () => number;
}

export function fakeDct(world: FakeWorld, options: FakeDctOptions = {}): FakeDct {
  const { cut, failure, showsEarly = true, snapshots = [snapshot] } = options;
  let calls = 0;
  const call = async <T>(effect: () => T): Promise<T> => {
    calls += 1;
    const hit = cut?.at === calls;
    const lost = new DctError("unreachable", `call ${calls} was cut off`);
    if (hit && cut?.when === "before") throw lost;
    const answer = effect();
    if (hit) throw lost;
    return await Promise.resolve(answer);
  };
  const settle = (job: Job): Job => {
    if (job.status !== "STARTED") return job;
    world.effects.get(job.id)?.();
    const ended: Job = {
      ...job,
      ...(failure !== undefined && job.type === "DB_PROVISION"
        ? { status: "FAILED", error_details: failure }
        : { status: "COMPLETED" }),
    };
    world.jobs[world.jobs.indexOf(job)] = ended;
    return ended;
  };
  const startJob = (type: string, target_id: string, target_name: string, effect: () => void): Job => {
    const job: Job = { id: `job-${world.nextNumber()}`, type, status: "STARTED", target_id, target_name };
    world.jobs.push(job);
    world.effects.set(job.id, effect);
    return job;
  };

  return {
    calls: () => calls,
    searchEngines: (filter) => call(() => [engine].filter((one) => matchesAny(one, filter))),
    searchEnvironments: (filter) => call(() => [environment].filter((one) => matches(one, filter))),
    searchGroups: (filter) => call(() => [group].filter((one) => matches(one, filter))),
    searchDSources: (filter) => call(() => [source].filter((one) => matches(one, filter))),
    searchVdbs: (filter) => call(() => [...world.vdbs.values()].filter((one) => matches(one, filter))),
    searchSnapshots: (filter) => call(() => snapshots.filter((one) => matches(one, filter))),
    searchJobs: (filter, { limit = 1000 } = {}) =>
      call(() =>
        world.jobs
          .filter((one) => matches(one, filter) && (!String(filter).includes("status IN") || one.status === "STARTED"))
          .slice(0, limit),
      ),
    getVdb: (id) => call(() => world.vdbs.get(id)),
    getEnvironment: (id) => call(() => (id === environment.id ? environment : undefined)),
    getJob: (id) => call(() => world.jobs.filter((one) => one.id === id).map(settle)[0]),
    provisionBySnapshot: ({ name = "", tags = [], source_data_id, snapshot_id }) =>
      call(() => {
        world.origins.push({ source: source_data_id, snapshot: snapshot_id });
        if ([...world.vdbs.values()].some((one) => one.name === name))
          throw new DctError("conflict", `the name ${name} is taken`);
        const id = `1-APPDATA_CONTAINER-${world.nextNumber()}`;
        const exported = { exported_data_directory: `/pool/vdbs/${id}`, exported_data_pool: "uuid" };
        const vdb: Vdb = { id, name, tags, environment_id: environment.id, ...exported };
        if (showsEarly) world.vdbs.set(id, vdb);
        const job = startJob("DB_PROVISION", id, name, () => world.vdbs.set(id, vdb));
        return { vdbId: id, jobId: job.id };
      }),
    deleteVdb: (id) =>
      call(() => {
        const vdb = world.vdbs.get(id);
        if (vdb === undefined) throw new DctError("notFound", `there is no VDB ${id}`);
        return { jobId: startJob("DB_DELETE", id, vdb.name ?? "", () => world.vdbs.delete(id)).id };
      }),
  };
}

/** Every `field EQ 'value'` of an expression holds. Enough of the filter language for what the driver writes. */
function matches(object: object, filter: string | undefined): boolean {
  return comparisons(filter).every(([field, value]) => new Map(Object.entries(object)).get(field) === value);
}
function matchesAny(object: object, filter: string | undefined): boolean {
  return (
    filter === undefined || comparisons(filter).some(([field, value]) => new Map(Object.entries(object)).get(field) === value)
  );
}
const comparisons = (filter = ""): readonly (readonly [string, string])[] =>
  [...filter.matchAll(/(\w+) EQ '([^']*)'/gu)].map(([, field = "", value = ""]) => [field, value]);
