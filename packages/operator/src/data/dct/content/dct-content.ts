import type { DctClient, DctConnection, Vdb } from "@vdb/dct";
import { ActionFailed } from "../../action-failed.ts";
import { type Chosen, type ContentStore, nothingToDo, type Place, placeOf, type Wanted } from "../../content-store.ts";
import { byVolumeSnapshot } from "../../csi/content/by-volume-snapshot.ts";
import { firstOf } from "../../csi/content/snapshot-way.ts";
import type { Discard } from "../../source.ts";
import { told } from "../failure.ts";
import { bookmarksNaming, bookmarksOf } from "./bookmark.ts";
import { byDct } from "./by-dct.ts";
import {
  beginChange,
  type Change,
  changeBegun,
  changeEnded,
  changeIn,
  changeText,
  currentOf,
  takeBack,
  vdbIn,
} from "./change.ts";
import { chooseSnapshot } from "./choose.ts";
import { discardStrays, discardTimeflow } from "./discard.ts";
import { requireFreeSpace } from "./free-space.ts";
import { handleOf, ownHandles } from "./own-snapshots.ts";
import { standingOf } from "./standing.ts";

/**
 * Data of a VDB in DCT, which changes it in place: nothing can be made beforehand, a change is a job after the stop, and each
 * content is a timeflow of the VDB. Which timeflow that is the database's status says: what DCT calls previous may be data that an
 * action has brought and taken back.
 */
export function createDctContent(connection: Pick<DctConnection, "call">): ContentStore {
  const call = async <T>(work: (dct: DctClient) => Promise<T>, signal: AbortSignal): Promise<T> =>
    await connection.call(work, signal);
  /** On which nothing depends: an outage is an answer. */
  const asked = async (work: (dct: DctClient) => Promise<Discard>, signal: AbortSignal): Promise<Discard> => {
    const answer = await told(call(work, signal));
    return answer.kind === "told" ? answer.value : { kind: "kept", message: answer.message };
  };
  return {
    snapshot: firstOf([byVolumeSnapshot, byDct(connection)], ", and DCT has no VDB for it"),
    bookmark: bookmarksOf(connection),
    choose: async (work, wanted, signal) => await call(async (dct) => await choose(dct, work, wanted, signal), signal),
    present: (chosen) => {
      const { before } = changeIn(chosen);
      return before === none ? {} : { timeflow: before };
    },
    prepare: nothingToDo,
    cutOver: {
      look: async (_, intent, signal) => {
        const job = await call(async (dct) => await changeBegun(dct, changeIn(intent), signal), signal);
        return job === undefined ? undefined : `${intent} by ${job}`;
      },
      begin: async (_, intent, signal) =>
        `${intent} by ${await call(async (dct) => await beginChange(dct, changeIn(intent), signal), signal)}`,
      end: async (_, effect, signal) =>
        await call(async (dct) => await changeEnded(dct, changeIn(effect), effect.split(" ").at(-1) ?? none, signal), signal),
    },
    brought: async ({ vdb: { status } }, effect, signal) => {
      const { vdb: handle, verb, taken } = changeIn(effect);
      const { current_timeflow_id: timeflow, parent_timeflow_timestamp: dataTimestamp } = await call(
        async (dct) => await vdbIn(dct, handle, signal),
        signal,
      );
      return {
        ...placeOf(status.content ?? {}),
        ...(timeflow === undefined ? {} : { timeflow }),
        ...(dataTimestamp === undefined ? {} : { dataTimestamp }),
        ...(verb === "refresh" ? {} : { takenOpen: taken === "open" }),
      };
    },
    isCutOver: async (_, effect, signal) => {
      const { vdb, before } = changeIn(effect);
      return (await call(async (dct) => await currentOf(dct, vdb, signal), signal)) !== before;
    },
    giveBack: async (_, effect, isLastTry, signal) =>
      await call(async (dct) => await takeBack(dct, changeIn(effect), isLastTry, signal), signal),
    clear: async ({ vdb: { status } }, signal) =>
      await asked(async (dct) => await discardStrays(dct, handleIn(status), status, signal), signal),
    discard: async ({ vdb: { status } }, { handle = handleIn(status), timeflow }, signal) =>
      timeflow === undefined
        ? { kind: "kept", message: "the status does not say which timeflow has it" }
        : await asked(async (dct) => await discardTimeflow(dct, handle, timeflow, signal), signal),
    needed: async (handles, signal) => await told(call(async (dct) => await bookmarksNaming(dct, handles, signal), signal)),
    standing: async ({ vdb: { status } }, signal) =>
      await call(async (dct) => await standingOf(dct, handleIn(status), status, signal), signal),
  };
}

/** In place of a timeflow's id, where DCT names none. */
const none = "none";

const handleIn = ({ content, delphixID = "" }: Place["vdb"]["status"]): string => content?.handle ?? delphixID;

async function choose(dct: DctClient, place: Place, wanted: Wanted, signal: AbortSignal): Promise<Chosen> {
  const { delphixID: id = "" } = place.vdb.status;
  const vdb = await vdbIn(dct, id, signal);
  if (vdb.is_locked === true)
    throw new ActionFailed(
      "StorageFailed",
      `the VDB ${vdb.name ?? id} is locked in DCT: unlock it there, then apply a new action`,
    );
  const from: Pick<Change, "vdb" | "before"> = { vdb: id, before: vdb.current_timeflow_id ?? none };
  if (wanted.ref?.type === "previous") return toPrevious(place, from); // its bytes are there: it takes no free space
  const chosen = await toSnapshot(dct, place, vdb, wanted, from, signal);
  await requireFreeSpace(dct, vdb, signal);
  return chosen;
}

function toPrevious({ vdb: { metadata, status } }: Place, from: Pick<Change, "vdb" | "before">): Chosen {
  const { id: name, timeflow, dataTimestamp: timestamp, openedTime } = status.previous ?? {};
  if (timeflow === undefined)
    throw new ActionFailed("SnapshotNotFound", `PostgresVDB ${metadata.name} has no previous data in its status`);
  return {
    text: changeText({ verb: "switch", ...from, to: timeflow, taken: openedTime === undefined ? "unknown" : "open" }),
    snapshot: {
      type: "previous",
      ...(name === undefined ? {} : { name }),
      ...(timestamp === undefined ? {} : { timestamp }),
      readyToUse: true,
    },
    takenOpen: openedTime !== undefined,
  };
}

async function toSnapshot(
  dct: DctClient,
  { client, vdb: { metadata, status } }: Place,
  vdb: Vdb,
  { change, ref }: Wanted,
  from: Pick<Change, "vdb" | "before">,
  signal: AbortSignal,
): Promise<Chosen> {
  const { openedTime } = status.content ?? {};
  const { namespace } = metadata;
  const { pvcName: claim = "" } = status;
  const handle =
    ref?.type === "volume-snapshot" ? await handleOf(client, { namespace, name: ref.name ?? "", claim }, signal) : undefined;
  const takenOpen = change === "rewind" ? await ownHandles(client, namespace, signal) : new Set<string>();
  const snapshot = await chooseSnapshot(dct, vdb, { change, ref, handle, openedTime, takenOpen }, signal);
  const { id, timestamp } = snapshot;
  const isSince = openedTime !== undefined && timestamp !== undefined && Date.parse(timestamp) >= Date.parse(openedTime);
  const taken = isSince || takenOpen.has(id) ? "open" : "unknown";
  return { text: changeText({ verb: change, ...from, to: id, taken }), snapshot, takenOpen: taken === "open" };
}
