import { type DctClient, findVdb, unfinishedJobOf, waitForJob } from "@vdb/dct";
import { type Client, defineResource, type KubeObject } from "kube-runtime";

/**
 * What DCT knows of a VDB's life: enabled before its pod starts, disabled when the pod is gone. A driver with attachRequired
 * does both itself, as Kubernetes attaches and detaches; without it (the embedded engine's) the operator does.
 * - as wanted: nothing more to do.
 * - under way: look again soon.
 * - refused: DCT says no.
 */
export type Attachment =
  | { readonly kind: "asWanted" }
  | { readonly kind: "underWay"; readonly message: string }
  | { readonly kind: "refused"; readonly message: string };

interface CsiDriver extends KubeObject {
  readonly spec: { readonly attachRequired?: boolean };
}
interface VolumeAttachment extends KubeObject {
  readonly spec: { readonly source: { readonly persistentVolumeName?: string } };
}
const storage = { group: "storage.k8s.io", version: "v1", namespaced: false } as const;
const csiDrivers = defineResource<CsiDriver>({ ...storage, kind: "CSIDriver", plural: "csidrivers" });
const volumeAttachments = defineResource<VolumeAttachment>({
  ...storage,
  kind: "VolumeAttachment",
  plural: "volumeattachments",
});

/** Kubernetes attaches where nobody says that it need not. */
export async function isAttachedByKubernetes(client: Client, driver: string, signal: AbortSignal): Promise<boolean> {
  const found = await client.find(csiDrivers, { name: driver }, signal);
  return found?.spec.attachRequired !== false;
}

/** The driver disables the VDB when it detaches the volume: that is over when no attachment names it any more. */
export async function detached(client: Client, volume: string, signal: AbortSignal): Promise<Attachment> {
  const { items } = await client.list(volumeAttachments, {}, signal);
  return items.some(({ spec }) => spec.source.persistentVolumeName === volume)
    ? { kind: "underWay", message: `the volume ${volume} is being detached` }
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
  const vdb = await findVdb(dct, id, signal);
  if (vdb === undefined || (vdb.enabled ?? true) === wanted) return { kind: "asWanted" };
  const { jobId } = await (wanted ? dct.enableVdb(id, { signal }) : dct.disableVdb(id, { signal }));
  const end = await waitForJob(dct, jobId, { signal, deadlineSeconds: patienceSeconds });
  return end.kind === "failed" ? { kind: "refused", message: `${what}: ${end.message}` } : { kind: "underWay", message: what };
}
