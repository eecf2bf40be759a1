import { DctError, eq } from "@vdb/dct";
import {
  after,
  deployments,
  done,
  isApiError,
  isControlledBy,
  type KubeObject,
  type ObjectKey,
  type Outcome,
  persistentVolumeClaims,
  persistentVolumes,
  type Resource,
  type Step,
  services,
} from "kube-runtime";
import { DctNotConfigured } from "../data/dct/connection.ts";
import type { VdbContext } from "./context.ts";
import { keyOfVdb } from "./names.ts";

/** The CSI provisioner names a volume by its prefix and the claim's uid; the DCT VDB is named as the volume. */
const volumeNameOf = (claimUid: string): string => `dlpx-${claimUid}`;

/** The order in which a database goes: nothing is taken from under what still runs. */
export const cleanUpSteps: readonly Step<VdbContext>[] = [
  { name: "endPod", run: endPod },
  { name: "releaseVolume", run: releaseVolume },
  { name: "confirmGone", run: confirmGone },
];

async function endPod({ run, vdb, deployment, service, pods }: VdbContext, signal: AbortSignal): Promise<Outcome> {
  const key = keyOfVdb(vdb);
  if (service !== undefined && isControlledBy(service, vdb)) await remove(run.client, services, key, signal);
  if (deployment !== undefined && isControlledBy(deployment, vdb)) await remove(run.client, deployments, key, signal);
  if (pods.length === 0) return done();
  const names = pods
    .map(({ metadata }) => metadata.name)
    .toSorted()
    .join(", ");
  return after(2, "Deleting", `PostgreSQL is shutting down: ${names}`);
}

async function releaseVolume(ctx: VdbContext, signal: AbortSignal): Promise<Outcome> {
  const { run, vdb, claim } = ctx;
  if (claim === undefined || !isControlledBy(claim, vdb)) return done();
  const { namespace = "", name, uid } = claim.metadata;
  if (vdb.spec.deletionPolicy === "Retain") {
    await run.client.patch(persistentVolumeClaims, { namespace, name }, { metadata: { ownerReferences: null } }, signal);
    run.event("Normal", "Retained", `claim ${name} and its DCT VDB stay (deletionPolicy Retain)`);
    return done();
  }
  run.status.delphixVDB = claim.spec.volumeName ?? volumeNameOf(uid);
  await run.saveStatus(signal); // once the claim is gone, this alone tells what to look for
  await remove(run.client, persistentVolumeClaims, { namespace, name }, signal);
  return after(0.5, "Deleting", `the claim ${name} is being deleted`);
}

/** Volume and DCT VDB are deleted by the CSI driver; the finalizer waits until they are, so that nothing is left in silence. */
async function confirmGone(ctx: VdbContext, signal: AbortSignal): Promise<Outcome> {
  const { run, vdb, world } = ctx;
  const name = run.status.delphixVDB ?? "";
  if (vdb.spec.deletionPolicy === "Retain" || name === "") return forget(ctx);
  const volume = await run.client.find(persistentVolumes, { name }, signal);
  if (volume !== undefined) {
    const why = volume.status?.message === undefined ? "" : `: ${volume.status.message}`;
    return after(0.5, "Deleting", `the volume ${name} is being deleted by its CSI driver${why}`);
  }
  try {
    const left = await world.dct.call(async (dct) => await dct.searchVdbs(eq("name", name), { signal }), signal);
    if (left.length === 0) return forget(ctx);
    return after(1, "Deleting", `the volume is gone, but DCT still has the VDB ${name}: its deletion is waited for`);
  } catch (error) {
    if (!(error instanceof DctError) && !(error instanceof DctNotConfigured)) throw error;
    // A volume that has been there goes only after its driver has deleted the VDB; without one nobody can know.
    if ((vdb.status.delphixID ?? "") !== "") return forget(ctx);
    return after(
      5,
      "Deleting",
      `whether DCT still has the VDB ${name} cannot be asked: ${error.message}; with spec.deletionPolicy Retain it is left alone`,
    );
  }
}

function forget({ world, vdb }: VdbContext): Outcome {
  world.memories.forget(vdb.metadata.uid);
  return done();
}

async function remove<T extends KubeObject>(
  client: VdbContext["run"]["client"],
  resource: Resource<T>,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.delete(resource, key, signal, { propagationPolicy: "Background" });
  } catch (error) {
    if (!isApiError(error, "notFound")) throw error;
  }
}
