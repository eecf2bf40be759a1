/** What a claim's dataSource comes to: a volume from a snapshot, or a copy of another volume. */
import { status } from "@grpc/grpc-js";
import type { DctClient, Vdb } from "@vdb/dct";
import type { Message } from "../grpc/message.ts";
import { invalidArgument, RpcError } from "../grpc/rpc-error.ts";
import { lookForVdb } from "./require-vdb.ts";
import type { Origin } from "./resolve-volume.ts";
import { askedCapacityBytes, askedOwnership } from "./tags.ts";
import type { SpecDefaults } from "./volume-spec.ts";

/** `id`: of a DCT snapshot, or of a VDB. */
export interface ContentSource {
  readonly kind: "snapshot" | "volume";
  readonly id: string;
}

/** What CreateVolume names; undefined: the claim's annotations say what data it wants. */
export function contentSourceOf(message: Message): ContentSource | undefined {
  const source = message.message("volumeContentSource");
  if (source === undefined) return undefined;
  const snapshot = source.message("snapshot")?.string("snapshotId") ?? "";
  if (snapshot !== "") return { kind: "snapshot", id: snapshot };
  const volume = source.message("volume")?.string("volumeId") ?? "";
  if (volume !== "") return { kind: "volume", id: volume };
  throw invalidArgument("volume_content_source names neither a snapshot nor a volume");
}

/** As it is written on the VDB that is made of it; never of the form engine:source. */
export const contentReference = ({ kind, id }: ContentSource): string => `${kind} ${id}`;

/** The other way round; undefined: the VDB was made of a source that a claim has named. */
export function contentOfReference(reference: string): ContentSource | undefined {
  const [, kind, id] = /^(snapshot|volume) (\S+)$/u.exec(reference) ?? [];
  return id === undefined ? undefined : { kind: kind === "snapshot" ? kind : "volume", id };
}

/** As the answer repeats it: the provisioner takes an answer without it for one from a driver that has ignored it. */
export const echoOf = ({ kind, id }: ContentSource): object =>
  kind === "snapshot" ? { snapshot: { snapshotId: id } } : { volume: { volumeId: id } };

export interface Content {
  readonly origin: Origin;
  /** Where the source lies and whose it is: holds where the claim's own annotations say nothing. */
  readonly inherited: Partial<SpecDefaults>;
}

/** The objects of DCT behind a content source. */
export async function resolveContent(
  dct: DctClient,
  source: ContentSource,
  capacityBytes: number,
  signal: AbortSignal,
): Promise<Content> {
  const datasetId = source.kind === "snapshot" ? await datasetOf(dct, source.id, signal) : source.id;
  const vdb = await lookForVdb(dct, datasetId, signal);
  if (vdb === undefined) throw missing(source, datasetId);
  if (source.kind === "volume") assertLargeEnough(vdb, capacityBytes);
  const [engine, environment] = await Promise.all([
    vdb.engine_id === undefined ? undefined : dct.getEngine(vdb.engine_id, { signal }),
    vdb.environment_id === undefined ? undefined : dct.getEnvironment(vdb.environment_id, { signal }),
  ]);
  if (engine === undefined) throw new RpcError(status.FAILED_PRECONDITION, `DCT names no engine for VDB ${datasetId}`);
  const snapshotId = source.kind === "snapshot" ? source.id : undefined;
  return { origin: { engine, datasetId, snapshotId }, inherited: inheritedOf(vdb, environment?.name) };
}

/** A snapshot's size is what its volume had then: the provisioner knows it and compares. */
function assertLargeEnough(source: Vdb, capacityBytes: number): void {
  const least = askedCapacityBytes(source) ?? 0;
  if (capacityBytes === 0 || capacityBytes >= least) return;
  throw new RpcError(
    status.OUT_OF_RANGE,
    `the claim asks for ${capacityBytes} bytes, and the volume that it copies has ${least}: set resources.requests.storage to "${least}" or more`,
  );
}

async function datasetOf(dct: Pick<DctClient, "getSnapshot">, id: string, signal: AbortSignal): Promise<string> {
  const snapshot = await dct.getSnapshot(id, { signal });
  if (snapshot === undefined) throw new RpcError(status.NOT_FOUND, `there is no snapshot ${id}`);
  if (snapshot.dataset_id === undefined) throw new RpcError(status.FAILED_PRECONDITION, `DCT names no VDB for snapshot ${id}`);
  return snapshot.dataset_id;
}

const missing = ({ kind, id }: ContentSource, datasetId: string): RpcError =>
  kind === "volume"
    ? new RpcError(status.NOT_FOUND, `there is no VDB ${id}`)
    : new RpcError(
        status.FAILED_PRECONDITION,
        `snapshot ${id} is one of ${datasetId}, which is no VDB: leave out dataSource and name the dSource in annotation sourceDBName`,
      );

function inheritedOf(vdb: Vdb, envName: string | undefined): Partial<SpecDefaults> {
  const ownershipSpec = askedOwnership(vdb);
  return {
    ...(vdb.group_name === undefined ? {} : { vdbGroupName: vdb.group_name }),
    ...(envName === undefined ? {} : { envName }),
    ...(vdb.mount_point === undefined ? {} : { vdbStageMountpath: vdb.mount_point }),
    ...(ownershipSpec === undefined ? {} : { ownershipSpec }),
  };
}
