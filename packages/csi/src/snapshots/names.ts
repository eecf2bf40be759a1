/**
 * How the driver remembers which snapshot of a VDB is called what. DCT names snapshots by itself, so the caller's names stand on the
 * VDB, as tags: they outlive the driver, and go with the VDB as its snapshots do.
 */
import type { Tag, Vdb } from "@vdb/dct";

const namePrefix = "kubernetes/snapshot/";
const intentPrefix = "kubernetes/snapshot-intent/";

/** `<snapshot id>`, and after a blank the VolumeSnapshot it belongs to, where the caller tells. */
export const nameKey = (name: string): string => namePrefix + name;
/** What the VDB had before a snapshot of this name was asked for. */
export const intentKey = (name: string): string => intentPrefix + name;

export interface NamedSnapshot {
  readonly name: string;
  readonly id: string;
  /** `namespace/name` of the VolumeSnapshot; undefined: the caller did not tell. */
  readonly owner: string | undefined;
}

/** Instants of DCT's clock and of the engine's, which may differ, so each is compared with its own kind alone. */
export interface Intent {
  /** When the newest job of the VDB had started; undefined: it had none. */
  readonly newestJob: string | undefined;
  /** When the newest snapshot of the VDB had been made; undefined: it had none. */
  readonly newestSnapshot: string | undefined;
}

export const nameTag = ({ name, id, owner }: NamedSnapshot): Tag => ({
  key: nameKey(name),
  value: owner === undefined ? id : `${id} ${owner}`,
});

const none = "-";
export const intentTag = (name: string, { newestJob = none, newestSnapshot = none }: Intent): Tag => ({
  key: intentKey(name),
  value: `${newestJob} ${newestSnapshot}`,
});

/** The snapshots of a VDB that have a name, whether they still exist or not. */
export const namedSnapshots = ({ tags = [] }: Pick<Vdb, "tags">): readonly NamedSnapshot[] =>
  tags.flatMap(({ key, value }) => {
    if (!key.startsWith(namePrefix)) return [];
    const [id = "", owner] = value.split(" ", 2);
    return [{ name: key.slice(namePrefix.length), id, owner }];
  });

export function intentOf({ tags = [] }: Pick<Vdb, "tags">, name: string): Intent | undefined {
  const found = tags.find(({ key }) => key === intentKey(name));
  if (found === undefined) return undefined;
  const [newestJob, newestSnapshot] = found.value.split(" ", 2).map((part) => (part === none ? undefined : part));
  return { newestJob, newestSnapshot };
}
