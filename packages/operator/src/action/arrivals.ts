import type { ActionObject } from "@vdb/api";

/**
 * In which order unfinished actions on one database came, where their creation times, whole seconds, tell nothing: by uid, the
 * resourceVersion that each was first seen with. Kubernetes counts it up over all kinds; it changes with every write, so it is
 * kept here. After a restart of the operator those of one second come in the order in which they were last written.
 */
export type Arrivals = (database: string, present: readonly ActionObject[]) => ReadonlyMap<string, bigint>;

export function createArrivals(): Arrivals {
  const known = new Map<string, ReadonlyMap<string, bigint>>();
  return (database, present) => {
    const before = known.get(database);
    const now = new Map(
      present.map(({ metadata: { uid, resourceVersion } }) => [uid, before?.get(uid) ?? countOf(resourceVersion)]),
    );
    if (now.size > 1) known.set(database, now);
    else known.delete(database); // nobody is to be told apart
    return now;
  };
}

const countOf = (resourceVersion: string): bigint => (/^\d+$/u.test(resourceVersion) ? BigInt(resourceVersion) : 0n);
