import { isDeepStrictEqual } from "node:util";
import type { CacheEvent } from "../cache/cache.ts";
import type { KubeObject } from "../objects/object.ts";

/**
 * Whether this is nothing but this controller's own status write coming back: it knows it, and a run that finds nothing new
 * would only cost. Everybody else's changes, other controllers' of this process too, and its own to anything but status, do
 * wake a run.
 */
export function isOwnStatusWrite<T extends KubeObject>(event: CacheEvent<T>, controller: string): boolean {
  if (event.type !== "updated" || event.origin !== controller) return false;
  const [a, b] = [event.before.metadata, event.object.metadata];
  if (a.generation === undefined || a.generation !== b.generation) return false;
  return isDeepStrictEqual({ ...a, resourceVersion: "" }, { ...b, resourceVersion: "" });
}
