import { type DctClient, type DctConnection, findVdb, unfinishedJobOf, waitForJob } from "@vdb/dct";
import { type Client, defineResource, type KubeObject } from "kube-runtime";
import type { Attachment, VolumeId } from "../source.ts";
import type { Attachers } from "./attachers.ts";

/**
 * A VDB is enabled in DCT before its pod starts, and disabled when the pod is gone. A driver with attachRequired does both
 * itself, as Kubernetes attaches and detaches; without it (the embedded engine's) the operator does. Without a CSI volume
 * there is nothing to be done.
 */
export async function setAttached(
  client: Client,
  connection: Pick<DctConnection, "call">,
  attachers: Attachers,
  { name, handle }: VolumeId,
  wanted: boolean,
  signal: AbortSignal,
): Promise<Attachment> {
  const attacher = handle === "" ? undefined : await attachers(client, name, signal);
  if (attacher === undefined) return { kind: "asWanted" };
  if (attacher === "kubernetes") return wanted ? { kind: "asWanted" } : await detached(client, name, signal);
  return await connection.call(async (dct) => await setEnabled(dct, handle, wanted, signal), signal);
}

interface VolumeAttachment extends KubeObject {
  readonly spec: { readonly source: { readonly persistentVolumeName?: string } };
}
const volumeAttachments = defineResource<VolumeAttachment>({
  group: "storage.k8s.io",
  version: "v1",
  namespaced: false,
  kind: "VolumeAttachment",
  plural: "volumeattachments",
});

/** The driver disables the VDB when it detaches the volume: that is over when no attachment names it any more. */
async function detached(client: Client, volume: string, signal: AbortSignal): Promise<Attachment> {
  const { items } = await client.list(volumeAttachments, {}, signal);
  return items.some(({ spec }) => spec.source.persistentVolumeName === volume)
    ? { kind: "underWay", message: `Kubernetes detaches the volume ${volume}` }
    : { kind: "asWanted" };
}

type Dct = Pick<DctClient, "searchVdbs" | "searchJobs" | "getJob" | "enableVdb" | "disableVdb">;

/** A longer job is waited for by the next look. */
const patienceSeconds = 10;

/**
 * Enables or disables a VDB. Safe to call again at any point: a job that somebody began, an operator that died for instance,
 * is waited for, never repeated; one that DCT does not know has nothing to be done to.
 */
export async function setEnabled(dct: Dct, id: string, wanted: boolean, signal: AbortSignal): Promise<Attachment> {
  const what = `DCT ${wanted ? "enables" : "disables"} the VDB ${id}`;
  const running = await unfinishedJobOf(dct, id, signal);
  if (running !== undefined)
    return { kind: "underWay", message: `${what}: waiting for its job ${running.id} (${running.type ?? "unknown type"})` };
  if (await isEnabled(dct, id, wanted, signal)) return { kind: "asWanted" };
  const { jobId } = await (wanted ? dct.enableVdb(id, { signal }) : dct.disableVdb(id, { signal }));
  const end = await waitForJob(dct, jobId, { signal, deadlineSeconds: patienceSeconds });
  if (end.kind === "failed") return { kind: "refused", reason: "DctFailed", message: `${what}, and fails: ${end.message}` };
  // DCT's state may follow its job later.
  return (await isEnabled(dct, id, wanted, signal)) ? { kind: "asWanted" } : { kind: "underWay", message: what };
}

/** Whether the VDB is enabled as wanted. One that DCT does not know has nothing to be done to. */
async function isEnabled(dct: Dct, id: string, wanted: boolean, signal: AbortSignal): Promise<boolean> {
  const vdb = await findVdb(dct, id, signal);
  return vdb === undefined || (vdb.enabled ?? true) === wanted;
}
