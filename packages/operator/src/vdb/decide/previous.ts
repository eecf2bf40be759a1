import { durationMilliseconds, type PostgresVDB, type VdbContent, vdbRefresh } from "@vdb/api";

/**
 * What becomes of the previous data.
 * - stays: there is none, it has no end, or an action works on the database and may return to it.
 * - staysFor: its end is still to come.
 * - goes: its end has passed.
 */
export type PreviousFate =
  | { readonly kind: "stays" }
  | { readonly kind: "staysFor"; readonly seconds: number }
  | { readonly kind: "goes" };

/** Pure. */
export function fateOfPrevious({ status }: Pick<PostgresVDB, "status">, nowMs: number): PreviousFate {
  const { previous, activeAction } = status;
  if (previous?.until === undefined || activeAction !== undefined) return { kind: "stays" };
  const seconds = (Date.parse(previous.until) - nowMs) / 1000;
  if (seconds > 0) return { kind: "staysFor", seconds };
  return { kind: "goes" };
}

/** Pure: data that an action which is gone has replaced. What that action asked for is unknown, so the default says for how long. */
export const previousOf = (replaced: VdbContent, nowMs: number): NonNullable<PostgresVDB["status"]["previous"]> => ({
  ...replaced,
  until: new Date(nowMs + durationMilliseconds(vdbRefresh.spec.properties.previousRetention.default)).toISOString(),
});
