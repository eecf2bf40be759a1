import { isDeepStrictEqual } from "node:util";
import type { CacheEvent } from "../cache/cache.ts";
import type { KubeObject } from "../objects/object.ts";

/**
 * Whether this is nothing but our own status write coming back: whoever wrote it knows it, and a run that finds nothing new
 * would only cost. Everybody else's changes, and ours to anything but status, do wake a run.
 */
export function isOwnStatusWrite<T extends KubeObject>(event: CacheEvent<T>): boolean {
  if (event.type !== "updated" || !event.own) return false;
  const [a, b] = [event.before.metadata, event.object.metadata];
  if (a.generation === undefined || a.generation !== b.generation) return false;
  return isDeepStrictEqual({ ...a, resourceVersion: "" }, { ...b, resourceVersion: "" });
}
