import { durationMilliseconds, type PostgresVDB } from "@vdb/api";

type Limits = NonNullable<PostgresVDB["spec"]["snapshots"]>;

export interface Taken {
  readonly name: string;
  readonly takenMs: number;
}

export interface Surplus<T> {
  /** What no limit keeps, the oldest first. */
  readonly beyond: readonly T[];
  /** When the next one gets too old; undefined: none does. */
  readonly nextSeconds: number | undefined;
}

/**
 * Pure: of all snapshots of a database, those beyond `spec.snapshots`. One limit is enough to be beyond. Kubernetes tells whole seconds:
 * which of several of one second is the newest nobody knows, so they stay together.
 */
export function surplusOf<T extends Taken>({ keep, maxAge }: Limits, all: readonly T[], nowMs: number): Surplus<T> {
  const newestFirst = all.toSorted((a, b) => b.takenMs - a.takenMs || (a.name < b.name ? 1 : -1));
  const lastKeptMs = (keep === undefined ? undefined : newestFirst[keep - 1]?.takenMs) ?? Number.NEGATIVE_INFINITY;
  const maxAgeMs = maxAge === undefined ? Number.POSITIVE_INFINITY : durationMilliseconds(maxAge);
  const kept = newestFirst.filter(({ takenMs }) => takenMs >= lastKeptMs && nowMs - takenMs < maxAgeMs);
  const oldest = kept.at(-1);
  return {
    beyond: newestFirst.slice(kept.length).toReversed(),
    nextSeconds: oldest === undefined || maxAge === undefined ? undefined : (oldest.takenMs + maxAgeMs - nowMs) / 1000,
  };
}
