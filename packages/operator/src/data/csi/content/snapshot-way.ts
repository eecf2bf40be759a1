import { persistentVolumeClaims } from "kube-runtime";
import { ActionFailed } from "../../action-failed.ts";
import type { SnapshotDeed, Work } from "../../content-store.ts";
import { volumeOf } from "../volume-of.ts";

/** One way to take a snapshot of a database's volume: a SnapshotDeed that may be none for a volume. */
export interface SnapshotWay extends Omit<SnapshotDeed, "intend"> {
  /** Its word at the head of intents and effects. */
  readonly scheme: string;
  /** What is there before; undefined: this way is none for this volume. Changes nothing. */
  readonly intend: (work: Work, volume: Volume, signal: AbortSignal) => Promise<string | undefined>;
}

/** The database's claim, and what it is bound to. */
export interface Volume {
  readonly claim: string;
  readonly driver: string | undefined;
  /** The VDB's id in DCT; empty: it has none. */
  readonly handle: string;
}

/** The first of the ways that is one for the database's volume. Intents and effects begin with the word of theirs. */
export function firstOf(ways: readonly SnapshotWay[], noneBeside: string): SnapshotDeed {
  const wayOf = (text: string): SnapshotWay => {
    const found = ways.find(({ scheme }) => text.startsWith(`${scheme} `));
    if (found === undefined) throw new TypeError(`no way to take a snapshot is called ${text}`);
    return found;
  };
  return {
    intend: async (work, signal) => {
      const volume = await presentVolume(work, signal);
      for (const way of ways) {
        const intent = await way.intend(work, volume, signal);
        if (intent !== undefined) return intent;
      }
      const driver = volume.driver === undefined ? "no CSI driver" : `the driver ${volume.driver}`;
      throw new ActionFailed(
        "StorageFailed",
        `the claim ${volume.claim} of PostgresVDB ${work.vdb.metadata.name} is of ${driver}, which has no VolumeSnapshotClass${noneBeside}`,
      );
    },
    look: async (work, intent, signal) => await wayOf(intent).look(work, intent, signal),
    begin: async (work, intent, signal) => await wayOf(intent).begin(work, intent, signal),
    end: async (work, effect, signal) => await wayOf(effect).end(work, effect, signal),
    named: (work, effect) => wayOf(effect).named(work, effect),
    ready: async (work, effect, signal) => await wayOf(effect).ready(work, effect, signal),
    discard: async (work, effect, signal) => await wayOf(effect).discard(work, effect, signal),
  };
}

async function presentVolume({ client, vdb: { metadata, status } }: Work, signal: AbortSignal): Promise<Volume> {
  const { pvcName = "", delphixID: handle = "" } = status;
  const claim = await client.find(persistentVolumeClaims, { namespace: metadata.namespace, name: pvcName }, signal);
  const volume = await volumeOf(client, claim, signal);
  return { claim: pvcName, driver: volume?.spec.csi?.driver, handle };
}
