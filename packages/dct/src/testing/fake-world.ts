import type { Bookmark, DSource, Snapshot, Timeflow, Vdb } from "../contract/datasets.ts";
import type { Job } from "../contract/job.ts";
import type { DatasetGroup, Engine, Environment } from "../contract/places.ts";
import { DctError } from "../errors.ts";

/** How long a job of the fake runs: until somebody looks at it, or so many milliseconds. */
export type JobLength = "untilLooked" | number;

/** What a DCT knows, which outlives everyone who asks it: one engine, one group, one environment, dSources by name. */
export class FakeWorld {
  engine: Engine = { id: "1", name: "delphix-engine", hostname: "delphix-engine.storage.svc" };
  readonly environment: Environment = {
    id: "1-ENV-1",
    name: "dev-env",
    engine_id: "1",
    hosts: [{ hostname: "node-a" }],
    repositories: [{ id: "1-REPO-1", name: "Empty vFile Repository" }],
  };
  readonly group: DatasetGroup = { id: "1-GROUP-1", name: "Untitled", engine_id: "1" };
  /** The names of the dSources. */
  readonly sources = new Set(["production"]);
  /** When each dSource has a snapshot of. */
  timestamps: readonly string[] = ["2026-01-01T00:00:00Z"];
  readonly bookmarks: Bookmark[] = [];
  readonly vdbs = new Map<string, Vdb>();
  /** Of VDBs, by id. */
  readonly vdbSnapshots = new Map<string, Snapshot>();
  readonly timeflows = new Map<string, Timeflow>();
  /** VDBs that a pod has mounted: their data cannot be changed. */
  readonly mounted = new Set<string>();
  readonly jobs: Job[] = [];
  /** What every VDB was asked to be made from. */
  readonly origins: { readonly source: string | undefined; readonly snapshot: string | undefined }[] = [];
  /** For tests that play the driver: the VDB behind an id that nothing has provisioned here; undefined: there is none. */
  assume: (id: string) => Vdb | undefined = () => undefined;

  /** What an unfinished job does at its end; a failure's words end it as FAILED. */
  readonly #ends = new Map<string, { readonly effect: () => void; readonly failure: string | undefined }>();
  #last = 0;

  #timeflows = 0;
  nextNumber(): number {
    this.#last += 1;
    return this.#last;
  }

  dSources(): readonly DSource[] {
    return [...this.sources].map((name) => ({
      id: dSourceId(name),
      name,
      engine_id: this.engine.id,
      status: "RUNNING",
      size: 3 * 2 ** 30 + 1,
    }));
  }

  snapshots(): readonly Snapshot[] {
    return [...this.#sourceSnapshots(), ...this.vdbSnapshots.values()];
  }

  /** A snapshot of a VDB that a job is about to take, as of now. */
  reserveSnapshot(vdbId: string): Snapshot {
    const number = this.nextNumber();
    const timestamp = timeOf(number);
    const timeflow = this.vdb(vdbId)?.current_timeflow_id;
    return {
      id: `1-APPDATA_SNAPSHOT-${number}`,
      name: `@${timestamp}`,
      dataset_id: vdbId,
      ...(timeflow === undefined ? {} : { timeflow_id: timeflow }),
      timestamp,
      creation_time: timestamp,
    };
  }

  /** A timeflow that a job is about to make. */
  newTimeflow(vdbId: string, type: "INITIAL" | "REFRESH" | "ROLLBACK", from: Partial<Snapshot>): Timeflow {
    return {
      id: `1-APPDATA_TIMEFLOW-${(this.#timeflows += 1)}`,
      dataset_id: vdbId,
      creation_type: type,
      ...(from.id === undefined ? {} : { parent_snapshot_id: from.id }),
      ...(from.timestamp === undefined ? {} : { parent_point_timestamp: from.timestamp }),
    };
  }

  #sourceSnapshots(): readonly Snapshot[] {
    return [...this.sources].flatMap((name) =>
      this.timestamps.map((timestamp, index) => ({
        id: `1-APPDATA_SNAPSHOT-${name}-${index + 1}`,
        name: `@${timestamp}`,
        dataset_id: dSourceId(name),
        timestamp,
        version: "16.2",
      })),
    );
  }

  vdb(id: string): Vdb | undefined {
    const found = this.vdbs.get(id) ?? this.assume(id);
    if (found !== undefined) this.vdbs.set(id, found);
    return found;
  }

  /** A VDB goes, with its timeflows and snapshots. */
  forget(vdbId: string): void {
    this.vdbs.delete(vdbId);
    for (const all of [this.timeflows, this.vdbSnapshots])
      for (const [id, { dataset_id }] of all) if (dataset_id === vdbId) all.delete(id);
  }

  startJob(
    {
      type,
      targetId,
      targetName,
      failure,
    }: { type: string; targetId: string; targetName?: string | undefined; failure?: string | undefined },
    length: JobLength,
    effect: () => void,
  ): Job {
    const number = this.nextNumber();
    const start_time = timeOf(number);
    const job: Job = {
      id: `job-${number}`,
      type,
      status: "STARTED",
      target_id: targetId,
      start_time,
      ...(targetName === undefined ? {} : { target_name: targetName }),
    };
    this.jobs.push(job);
    this.#ends.set(job.id, { effect, failure });
    if (length !== "untilLooked") setTimeout(() => this.endJob(job.id), length).unref();
    return job;
  }

  /** Time passes: a job ends whether anybody looks or not. */
  endJob(id: string): void {
    const at = this.jobs.findIndex((one) => one.id === id);
    const [job, end] = [this.jobs[at], this.#ends.get(id)];
    if (job === undefined || end === undefined) return;
    this.#ends.delete(id);
    end.effect();
    const { failure } = end;
    this.jobs[at] =
      failure === undefined ? { ...job, status: "COMPLETED" } : { ...job, status: "FAILED", error_details: failure };
  }

  /** Its effect does not come any more. */
  abandonJob(id: string): void {
    const at = this.jobs.findIndex((one) => one.id === id);
    const job = this.jobs[at];
    if (job === undefined) throw new DctError("notFound", `there is no job ${id}`);
    if (!this.#ends.delete(id)) throw new DctError("conflict", `job ${id} has ended`);
    this.jobs[at] = { ...job, status: "ABANDONED" };
  }

  endJobs(): void {
    for (const { id } of this.jobs) this.endJob(id);
  }
}

/** Later numbers are later times. */
const timeOf = (number: number): string => new Date(Date.UTC(2026, 0, 1) + number).toISOString();

export const dSourceId = (name: string): string => `1-APPDATA_CONTAINER-${name}`;
