import { type SnapshotStatus, sourceReference } from "@vdb/api";
import { persistentVolumeClaims } from "kube-runtime";
import { claimName, contentIdOfAction } from "../../../vdb/names.ts";
import { ActionFailed } from "../../action-failed.ts";
import type { Chosen, Wanted, Work } from "../../content-store.ts";
import { choices, SourceRefusal } from "../../refusal.ts";
import type { ResolvedSource, SourceVolume } from "../../source.ts";
import type { CsiWorld } from "../csi-world.ts";
import { resolveClaim } from "../resolve-claim.ts";
import { resolveSnapshot } from "../resolve-snapshot.ts";
import { volumeOf } from "../volume-of.ts";
import { snapshotClassFor } from "../volume-snapshots.ts";
import { changeText } from "./change.ts";
import { ownSnapshots, wasTakenOpen } from "./own-snapshots.ts";

/** What a refresh or rewind of a database of plain CSI gives it. Throws ActionFailed with the choices there are. */
export async function choose(world: CsiWorld, work: Work, { change, ref }: Wanted, signal: AbortSignal): Promise<Chosen> {
  const { vdb } = work;
  switch (ref?.type) {
    case "previous":
      return await toPrevious(work, signal);
    case "volume-snapshot":
      return change === "refresh"
        ? await fromSnapshot(world, work, { verb: change, name: ref.name ?? "", taken: "unknown" }, signal)
        : await backTo(world, work, ref.name ?? "", signal);
    case undefined:
      return change === "refresh" ? await fromSource(world, work, signal) : await toLatest(world, work, signal);
    case "dct-snapshot":
    case "dct-bookmark":
    case "timestamp":
      throw new ActionFailed(
        "SnapshotNotUsable",
        `spec.snapshotRef.type ${ref.type} names data in DCT, and PostgresVDB ${vdb.metadata.name} is made by a CSI driver alone ` +
          `(${vdb.spec.source.type}): name a VolumeSnapshot${change === "rewind" ? ", or previous" : ", or leave snapshotRef out"}`,
      );
    default:
      return ref satisfies never;
  }
}

/** The newest data of what the manifest names as the source. */
async function fromSource(world: CsiWorld, work: Work, signal: AbortSignal): Promise<Chosen> {
  const { client, vdb } = work;
  const reference = sourceReference(vdb.spec.source, vdb.metadata.namespace);
  if (reference.type === "dct-source" || reference.type === "pvc-adopt")
    throw new ActionFailed(
      "SnapshotNotFound",
      `PostgresVDB ${vdb.metadata.name} has the claim ${reference.name} itself, so there is no source with newer data: ` +
        "name a VolumeSnapshot in spec.snapshotRef",
    );
  const key = { namespace: reference.namespace, name: reference.name };
  const resolve = reference.type === "pvc-clone" ? resolveClaim : resolveSnapshot;
  const source = await orRefused(resolve(world, client, vdb, key, signal));
  return copied(work, source, { verb: "refresh", taken: "unknown" });
}

interface Copying {
  readonly verb: "refresh" | "rewind";
  readonly taken: "open" | "unknown";
}

async function fromSnapshot(
  world: CsiWorld,
  work: Work,
  { name, ...copying }: Copying & { readonly name: string },
  signal: AbortSignal,
): Promise<Chosen> {
  const { namespace } = work.vdb.metadata;
  const source = await orRefused(resolveSnapshot(world, work.client, work.vdb, { namespace, name }, signal));
  return copied(work, source, copying);
}

/** A rewind stays within the database's own history. */
async function backTo(world: CsiWorld, work: Work, name: string, signal: AbortSignal): Promise<Chosen> {
  const { namespace } = work.vdb.metadata;
  await orRefused(resolveSnapshot(world, work.client, work.vdb, { namespace, name }, signal)); // it is there, and ready
  const own = await ownSnapshots(work, signal);
  const found = own.find(({ metadata }) => metadata.name === name);
  if (found === undefined)
    throw new ActionFailed(
      "SnapshotNotUsable",
      `VolumeSnapshot ${name} is none of PostgresVDB ${work.vdb.metadata.name}, and a rewind takes its own alone; ` +
        choices(
          "VolumeSnapshots of this database",
          own.map(({ metadata }) => metadata.name),
        ),
    );
  const taken = wasTakenOpen(found, work.vdb) ? "open" : "unknown";
  return await fromSnapshot(world, work, { verb: "rewind", name, taken }, signal);
}

/** The newest that was taken with the gate open. An earlier or unknown one has to be named. */
async function toLatest(world: CsiWorld, work: Work, signal: AbortSignal): Promise<Chosen> {
  const own = await ownSnapshots(work, signal);
  const latest = own.find((one) => wasTakenOpen(one, work.vdb));
  if (latest !== undefined)
    return await fromSnapshot(world, work, { verb: "rewind", name: latest.metadata.name, taken: "open" }, signal);
  await mustTakeSnapshots(work, signal);
  throw new ActionFailed(
    "SnapshotNotFound",
    `PostgresVDB ${work.vdb.metadata.name} has no VolumeSnapshot that was taken while clients were let in: take one with a VDBSnapshot; ` +
      choices(
        "VolumeSnapshots of this database",
        own.map(({ metadata }) => metadata.name),
      ),
  );
}

async function mustTakeSnapshots({ client, vdb }: Work, signal: AbortSignal): Promise<void> {
  const { namespace } = vdb.metadata;
  const { claimName: name = "" } = vdb.status.content ?? {};
  const claim = await client.find(persistentVolumeClaims, { namespace, name }, signal);
  const driver = (await volumeOf(client, claim, signal))?.spec.csi?.driver;
  if (driver !== undefined && (await snapshotClassFor(client, driver, signal)) !== undefined) return;
  throw new ActionFailed(
    "StorageFailed",
    `the claim ${name} is of ${driver === undefined ? "no CSI driver" : `the driver ${driver}`}, which has no VolumeSnapshotClass, ` +
      "so there are no snapshots to return to; a rewind to the previous data needs none",
  );
}

/** The claim has it already. */
async function toPrevious({ client, vdb }: Work, signal: AbortSignal): Promise<Chosen> {
  const { previous } = vdb.status;
  const { namespace, name } = vdb.metadata;
  const { claimName: kept } = previous ?? {};
  if (previous === undefined || kept === undefined)
    throw new ActionFailed("SnapshotNotFound", `PostgresVDB ${name} has no previous data in its status`);
  const claim = await client.find(persistentVolumeClaims, { namespace, name: kept }, signal);
  if (claim === undefined || claim.metadata.deletionTimestamp !== undefined)
    throw new ActionFailed(
      "SnapshotNotFound",
      `the previous data of PostgresVDB ${name} is gone: somebody has deleted its claim ${kept}`,
    );
  const { id, dataTimestamp: timestamp } = previous;
  return {
    text: changeText({ kind: "return", claim: kept, taken: previous.openedTime === undefined ? "unknown" : "open" }),
    snapshot: { type: "previous", name: id, ...(timestamp === undefined ? {} : { timestamp }), readyToUse: true },
    takenOpen: previous.openedTime !== undefined,
  };
}

/** On a claim named by the action. */
function copied({ vdb, action }: Work, { volume, sizeBytes, dataTimestamp }: ResolvedSource, copying: Copying): Chosen {
  if (volume === undefined) throw new TypeError("a source of plain CSI has a volume");
  const claim = claimName(vdb, contentIdOfAction(action.uid));
  return {
    text: changeText({ kind: "copy", claim, from: volume, sizeBytes: Math.round(sizeBytes ?? 0), ...copying }),
    snapshot: volume.kind === "VolumeSnapshot" ? snapshotOf(volume, sizeBytes, dataTimestamp) : { readyToUse: true },
    ...(copying.verb === "rewind" ? { takenOpen: copying.taken === "open" } : {}),
  };
}

function snapshotOf(
  { namespace, name }: SourceVolume,
  sizeBytes: number | undefined,
  timestamp: string | undefined,
): SnapshotStatus {
  return {
    type: "volume-snapshot",
    name,
    namespace,
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(sizeBytes === undefined ? {} : { sizeBytes: Math.round(sizeBytes) }),
    readyToUse: true,
  };
}

/** As an action says it. */
async function orRefused<T>(found: Promise<T>): Promise<T> {
  try {
    return await found;
  } catch (error) {
    if (!(error instanceof SourceRefusal)) throw error;
    throw new ActionFailed(reasonFor(error.reason), error.message);
  }
}

function reasonFor(reason: SourceRefusal["reason"]): string {
  if (reason === "SourceNotFound") return "SnapshotNotFound";
  if (reason === "ReferenceNotGranted") return reason;
  return reason === "StorageClassNotUsable" ? "StorageFailed" : "SnapshotNotUsable";
}
