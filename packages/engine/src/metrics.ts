import { createMetrics } from "kube-runtime";
import type { Catalogue } from "./catalogue/catalogue.ts";
import { allDSources, latestSnapshot } from "./catalogue/datasets.ts";
import { isEmptySource } from "./catalogue/rows.ts";
import type { BaseBackupCame } from "./jobs/job-kind.ts";
import type { JobEnded } from "./jobs/runner.ts";
import { unfinishedJobs } from "./jobs/submit.ts";
import type { StreamState } from "./link/standbys.ts";
import type { StorageFigures } from "./storage.ts";

export interface EngineMetrics {
  readonly jobEnded: JobEnded;
  readonly baseBackupCame: BaseBackupCame;
  readonly streamCame: (source: { readonly id: string; readonly name: string }, bytes: number) => void;
  /** In the Prometheus text format. */
  readonly text: () => string;
}

export interface Measured {
  readonly catalogue: Catalogue;
  readonly storageFigures: () => StorageFigures;
  readonly now: () => Date;
  /** Undefined: the dSource has no standby. */
  readonly streamOf: (dSourceId: string) => StreamState | undefined;
}

/** From a clone, which takes a tenth of a second, to the copy of a large production database. */
const jobBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 28_800];

export function engineMetrics({ catalogue, storageFigures, now, streamOf }: Measured): EngineMetrics {
  const metrics = createMetrics();
  const ended = metrics.counter("delphix_engine_jobs_total", "Jobs that have ended since the engine started.", [
    "type",
    "result",
  ]);
  const seconds = metrics.histogram("delphix_engine_job_seconds", "How long jobs took that have ended.", jobBuckets, ["type"]);
  metrics
    .gauge("delphix_engine_jobs_unfinished", "Jobs that wait or run.")
    .collect(() => [{ value: unfinishedJobs(catalogue).length }]);
  const pool = (name: string, help: string, read: (figures: StorageFigures) => number): void =>
    metrics.gauge(name, help).collect(() => [{ value: read(storageFigures()) }]);
  pool("delphix_engine_pool_used_bytes", "Bytes of the pool that are in use.", ({ usedBytes }) => usedBytes);
  pool("delphix_engine_pool_capacity_bytes", "Bytes that the pool can hold.", ({ capacityBytes }) => capacityBytes);
  pool("delphix_engine_pool_reserve_bytes", "Bytes that new work leaves free.", ({ reserveBytes }) => reserveBytes);
  // Two groups may have a dSource of one name each: the id keeps their samples apart.
  const ofDSource = ["id", "name"];
  metrics
    .gauge("delphix_engine_dsource_lag_seconds", "How old the newest data of the dSource is; absent before the first.", ofDSource)
    .collect(() =>
      allDSources(catalogue).flatMap(({ id, name, connection }) => {
        if (isEmptySource(connection)) return []; // nothing is newer than an empty folder
        const taken = latestSnapshot(catalogue, id)?.timestamp;
        const value = taken === undefined ? undefined : Math.max(0, (now().getTime() - Date.parse(taken)) / 1000);
        return value === undefined ? [] : [{ value, labels: { id, name } }];
      }),
    );
  metrics.gauge("delphix_engine_dsource_failing", "1 when the last snapshot of the dSource failed.", ofDSource).collect(() =>
    allDSources(catalogue).map(({ id, name, last_error: error }) => ({
      value: error === undefined ? 0 : 1,
      labels: { id, name },
    })),
  );
  const stream = (name: string, help: string, value: (state: StreamState) => number | undefined): void =>
    metrics.gauge(name, help, ofDSource).collect(() =>
      allDSources(catalogue).flatMap(({ id, name: called }) => {
        const state = streamOf(id);
        const found = state === undefined ? undefined : value(state);
        return found === undefined ? [] : [{ value: found, labels: { id, name: called } }];
      }),
    );
  stream("delphix_engine_dsource_streaming", "1 while the standby of the dSource receives the source's WAL.", (state) =>
    state.isStreaming ? 1 : 0,
  );
  stream(
    "delphix_engine_dsource_stream_lag_bytes",
    "WAL that the standby had not received when the source was asked last.",
    ({ lagBytes }) => lagBytes,
  );
  stream(
    "delphix_engine_dsource_stream_lag_seconds",
    "How long ago the source had no more than the standby has; up to 15 s when nothing is missing.",
    ({ lagSeconds }) => lagSeconds,
  );
  stream(
    "delphix_engine_dsource_last_contact_timestamp_seconds",
    "When the source has told its position last, as Unix time.",
    ({ lastContact }) => (lastContact === undefined ? undefined : lastContact.getTime() / 1000),
  );
  const read = metrics.counter(
    "delphix_engine_dsource_read_bytes_total",
    "Bytes that base backups and streams have read.",
    ofDSource,
  );
  const written = metrics.counter(
    "delphix_engine_dsource_written_bytes_total",
    "Bytes of base backups that differed from the snapshot before.",
    ofDSource,
  );
  return {
    baseBackupCame: ({ id, name }, { readBytes, writtenBytes }) => {
      read.inc({ id, name }, readBytes);
      written.inc({ id, name }, writtenBytes);
    },
    streamCame: ({ id, name }, bytes) => read.inc({ id, name }, bytes),
    jobEnded: (type, result, took) => {
      ended.inc({ type, result });
      seconds.observe(took, { type });
    },
    text: () => metrics.text(),
  };
}
