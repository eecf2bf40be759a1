import { isDeepStrictEqual } from "node:util";
import { isRecord } from "../support/json.ts";

/** The JSON merge patch that turns `before` into `after`, or undefined when they are the same. Lists are replaced whole. */
export function mergeDiff(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): object | undefined {
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(before)) if (after[key] === undefined) patch[key] = null;
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined || isDeepStrictEqual(before[key], value)) continue;
    const inner = isRecord(before[key]) && isRecord(value) ? mergeDiff(before[key], value) : value;
    if (inner !== undefined) patch[key] = inner;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}
