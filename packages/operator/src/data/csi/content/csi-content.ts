import { done, isApiError, persistentVolumeClaims } from "kube-runtime";
import { ActionFailed } from "../../action-failed.ts";
import { type Brought, type ContentStore, nothingToDo, type Work } from "../../content-store.ts";
import type { Discard } from "../../source.ts";
import type { CsiWorld } from "../csi-world.ts";
import { volumeOf } from "../volume-of.ts";
import { byVolumeSnapshot } from "./by-volume-snapshot.ts";
import { changeIn } from "./change.ts";
import { choose } from "./choose.ts";
import { discardClaim, discardStrays } from "./discard.ts";
import { dataTimestampAnnotation, newClaim } from "./new-claim.ts";
import { firstOf } from "./snapshot-way.ts";

/**
 * Volumes of any CSI driver. Each content has a claim of its own: the new one is made while the old answers, and which of them the
 * database has is what its status says. So nothing is left to do after the stop, and the old data is given back by its name alone.
 */
export function createCsiContent(world: CsiWorld): ContentStore {
  return {
    snapshot: firstOf([byVolumeSnapshot], ""),
    bookmark: undefined,
    choose: async (work, wanted, signal) => await choose(world, work, wanted, signal),
    present: () => ({}),
    prepare: newClaim(world),
    cutOver: nothingToDo,
    brought,
    isCutOver: async () => false,
    giveBack: async () => done(),
    clear: async (work, signal) => await asked(discardStrays(world, work, signal)),
    discard: async (place, content, signal) => await asked(discardClaim(world, place, content, signal)),
    needed: async () => ({ kind: "told", value: new Map() }), // the driver refuses by itself
    standing: async ({ vdb: { status } }) =>
      status.content?.claimName === undefined ? { kind: "unknown" } : { kind: "asRecorded", sureAfterSeconds: 0 },
  };
}

async function brought({ client, vdb }: Work, effect: string, signal: AbortSignal): Promise<Brought> {
  const change = changeIn(effect);
  const { previous } = vdb.status;
  const isRewind = change.kind === "return" || change.verb === "rewind";
  const takenOpen = isRewind ? { takenOpen: change.taken === "open" } : {};
  if (change.kind === "return") {
    const { handle, dataTimestamp } = previous?.claimName === change.claim ? previous : {};
    return { claimName: change.claim, ...handleField(handle), ...timeField(dataTimestamp), ...takenOpen };
  }
  const claim = await client.find(persistentVolumeClaims, { namespace: vdb.metadata.namespace, name: change.claim }, signal);
  if (claim === undefined)
    throw new ActionFailed("StorageFailed", `the new claim ${change.claim} was deleted before it was used`);
  const { annotations = {}, creationTimestamp } = claim.metadata;
  const volume = await volumeOf(client, claim, signal);
  return {
    claimName: change.claim,
    ...handleField(volume?.spec.csi?.volumeHandle),
    ...timeField(annotations[dataTimestampAnnotation] ?? creationTimestamp),
    ...takenOpen,
  };
}

const handleField = (handle: string | undefined) => (handle === undefined ? {} : { handle });
const timeField = (dataTimestamp: string | undefined) => (dataTimestamp === undefined ? {} : { dataTimestamp });

/** On which nothing depends: a refusal is an answer. The API server keeps the claims, so that its outage is that of everything. */
async function asked(work: Promise<Discard>): Promise<Discard> {
  try {
    return await work;
  } catch (error) {
    if (!isApiError(error, "forbidden", "invalid", "notAllowed")) throw error;
    return { kind: "kept", message: error.message };
  }
}
