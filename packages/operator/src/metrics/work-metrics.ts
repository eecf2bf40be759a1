import { type ActionObject, isFinished, type PostgresVDB } from "@vdb/api";
import type { Cache, CacheEvent, KubeObject, Manager, Metrics } from "kube-runtime";
import type { StorageFigures, StorageWatch } from "../data/storage.ts";
import { listenUntil } from "../listen-until.ts";
import { type Phased, phaseTimes } from "./phase-times.ts";

/** What is measured. */
export interface Measured {
  readonly vdbs: Cache<PostgresVDB>;
  readonly actions: readonly Cache<ActionObject>[];
  readonly storage: Pick<StorageWatch, "figures" | "bytesOf">;
  /** Wall clock, in milliseconds. */
  readonly now: () => number;
}

/** From a step of a tenth of a second to the copy of a large production database. */
export const workBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 28_800];

/**
 * What Prometheus is told of databases, actions and engines. Only the leader tells it: the other replicas see the same objects, and a
 * sum over all of them would count each twice.
 */
export function tellWork(manager: Pick<Manager, "metrics" | "whileLeading">, measured: Measured): void {
  const state = { isLeading: false };
  const whenLeading: WhenLeading = (read) => () => (state.isLeading ? read() : []);
  tellDatabases(manager.metrics, measured, whenLeading);
  tellUnfinished(manager.metrics, measured.actions, whenLeading);
  tellFigures(manager.metrics, measured.storage, whenLeading);
  const subscribe = countEvents(manager.metrics, measured);
  manager.whileLeading("metrics", async (signal) => {
    state.isLeading = true;
    await listenUntil(signal, subscribe);
    state.isLeading = false;
  });
}

type Samples = readonly { readonly value: number; readonly labels: Readonly<Record<string, string>> }[];
type WhenLeading = (read: () => Samples) => () => Samples;

/** Of what has no value there is no sample. */
const samplesOf = <T>(
  all: readonly T[],
  valueOf: (one: T) => number | undefined,
  labels: (one: T) => Samples[number]["labels"],
): Samples =>
  all.flatMap((one) => {
    const value = valueOf(one);
    return value === undefined ? [] : [{ value, labels: labels(one) }];
  });

const ofVdb = ["namespace", "name"];
const labelsOf = ({ metadata: { namespace, name } }: PostgresVDB) => ({ namespace, name });

function tellDatabases(metrics: Metrics, { vdbs, storage, now }: Measured, whenLeading: WhenLeading): void {
  const gauge = (name: string, help: string, valueOf: (vdb: PostgresVDB) => number | undefined): void =>
    metrics.gauge(name, help, ofVdb).collect(whenLeading(() => samplesOf(vdbs.list(), valueOf, labelsOf)));
  metrics
    .gauge("delphix_vdb_phase", "1 for the phase that a database is in.", [...ofVdb, "phase"])
    .collect(whenLeading(() => vdbs.list().map((vdb) => ({ value: 1, labels: { ...labelsOf(vdb), phase: vdb.status.phase } }))));
  metrics
    .gauge("delphix_vdb_hooks", "Hooks that have run on the present data of a database, by how they ended.", [
      ...ofVdb,
      "outcome",
    ])
    .collect(whenLeading(() => vdbs.list().flatMap(hookSamples)));
  gauge("delphix_vdb_data_age_seconds", "How old the data of a database is, counted from its source's moment.", ({ status }) =>
    status.dataTimestamp === undefined ? undefined : Math.max(0, (now() - Date.parse(status.dataTimestamp)) / 1000),
  );
  gauge("delphix_vdb_own_bytes", "Bytes of its storage that a database shares with nobody.", (vdb) => storage.bytesOf(vdb)?.own);
  gauge(
    "delphix_vdb_shared_bytes",
    "Bytes that a database has in common with its source or with other copies.",
    (vdb) => storage.bytesOf(vdb)?.shared,
  );
}

function hookSamples(vdb: PostgresVDB): Samples {
  const byOutcome = Map.groupBy(vdb.status.hooks ?? [], ({ outcome }) => outcome);
  return [...byOutcome].map(([outcome, { length }]) => ({ value: length, labels: { ...labelsOf(vdb), outcome } }));
}

function tellUnfinished(metrics: Metrics, actions: readonly Cache<ActionObject>[], whenLeading: WhenLeading): void {
  const read = (): Samples =>
    actions.flatMap((cache) => {
      const { kind } = cache.resource;
      const unfinished = cache.list().filter((action) => !isFinished(action));
      const byPhase = Map.groupBy(unfinished, ({ status }) => status.phase);
      return [...byPhase].map(([phase, { length }]) => ({ value: length, labels: { kind, phase } }));
    });
  metrics.gauge("delphix_actions", "Actions that have not ended, by their phase.", ["kind", "phase"]).collect(whenLeading(read));
}

/** The engines' storage: what an alert can be made of before a database says PoolNearlyFull. */
function tellFigures(metrics: Metrics, { figures }: Measured["storage"], whenLeading: WhenLeading): void {
  const gauge = (name: string, help: string, bytesOf: (one: StorageFigures) => number | undefined): void =>
    metrics.gauge(name, help, ["engine"]).collect(whenLeading(() => samplesOf(figures(), bytesOf, ({ engine }) => ({ engine }))));
  gauge("delphix_engine_storage_capacity_bytes", "Capacity of an engine's storage.", ({ capacityBytes }) => capacityBytes);
  gauge("delphix_engine_storage_used_bytes", "Used space of an engine's storage.", ({ usedBytes }) => usedBytes);
}

/** What happens rather than is. Returns how to begin to listen, which returns how to end it. */
function countEvents(metrics: Metrics, { vdbs, actions }: Measured): () => readonly (() => void)[] {
  const phases = metrics.histogram(
    "delphix_phase_seconds",
    "How long objects were in a phase that they have left.",
    workBuckets,
    ["kind", "phase"],
  );
  const opened = metrics.histogram(
    "delphix_vdb_first_ready_seconds",
    "From the creation of a database to its first open gate. Creation is known to the second.",
    workBuckets,
  );
  const ended = metrics.counter("delphix_actions_ended_total", "Actions that have ended.", ["kind", "result"]);
  const took = metrics.histogram(
    "delphix_action_seconds",
    "How long actions took that have ended, without their wait for others.",
    workBuckets,
    ["kind"],
  );
  for (const { resource } of actions) for (const result of ["Completed", "Error"]) ended.inc({ kind: resource.kind, result }, 0); // so that the first one is an increase
  const timing = <T extends KubeObject & Phased>(cache: Cache<T>): (() => void) => {
    const { kind } = cache.resource;
    return cache.subscribe(
      phaseTimes(
        () => performance.now(),
        (phase, seconds) => phases.observe(seconds, { kind, phase }),
      ).on,
    );
  };
  return () => [
    timing(vdbs),
    vdbs.subscribe((event) => {
      const seconds = firstReadySeconds(event);
      if (seconds !== undefined) opened.observe(seconds);
    }),
    ...actions.flatMap((cache) => [
      timing(cache),
      cache.subscribe((event) => {
        if (event.type !== "updated" || isFinished(event.before) || !isFinished(event.object)) return;
        const { kind, status } = event.object;
        ended.inc({ kind, result: status.phase });
        if (status.startTime === undefined || status.completionTime === undefined) return; // it never began
        took.observe((Date.parse(status.completionTime) - Date.parse(status.startTime)) / 1000, { kind });
      }),
    ]),
  ];
}

/** Undefined unless the event is the first opening of a database's gate. */
function firstReadySeconds(event: CacheEvent<PostgresVDB>): number | undefined {
  if (event.type !== "updated") return undefined;
  const { metadata, status } = event.object;
  const { madeBy, openedTime } = status.content ?? {};
  if (madeBy !== "create" || openedTime === undefined || event.before.status.content?.openedTime !== undefined) return undefined;
  return Math.max(0, (Date.parse(openedTime) - Date.parse(metadata.creationTimestamp)) / 1000);
}
