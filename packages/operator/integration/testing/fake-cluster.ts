/**
 * What a cluster does around the operator, played on a real API server: it provisions and binds claims, runs the pods of
 * Deployments, ends what is deleted. No kubelet, no containers: `exec` is answered by a function of the test.
 */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { volumeNameOf } from "@vdb/api";
import {
  type Client,
  type ContainerStatus,
  type Deployment,
  defineResource,
  deployments,
  isApiError,
  type KubeObject,
  type Pod,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
} from "kube-runtime";

export interface FakeCluster extends AsyncDisposable {
  /** What the provisioner does with a claim; "bind" unless set. */
  provision: "bind" | "nothing";
  /** The CSI driver of the volumes it makes. */
  driver: string;
  /** The reclaim policy of the volumes it makes. */
  reclaim: "Delete" | "Retain";
  /** The state in which containers are; ready unless set. */
  container: (pod: Pod) => ContainerStatus["state"];
  /** What else their status says; a running one is ready unless this says otherwise. */
  details: (pod: Pod) => Partial<ContainerStatus>;
  /** How often a volume was provisioned, by claim. */
  readonly provisioned: Map<string, number>;
}

const plainPods = defineResource<KubeObject & { spec: object }>({
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  namespaced: true,
});

/** `turnMs`: how late it sees what the operator has written. */
export function playCluster(client: Client, namespace: string, turnMs = 15): FakeCluster {
  const end = new AbortController();
  const state: Pick<FakeCluster, "provision" | "driver" | "reclaim" | "container" | "details"> = {
    provision: "bind",
    driver: "defs.csi.delphix.com",
    reclaim: "Delete",
    container: () => ({ running: { startedAt: new Date().toISOString() } }),
    details: () => ({}),
  };
  const provisioned = new Map<string, number>();
  const turn = async (): Promise<void> => {
    await bindClaims(client, namespace, state, provisioned, end.signal);
    await endVolumes(client, namespace, end.signal);
    await runDeployments(client, namespace, state, end.signal);
  };
  const loop = (async () => {
    while (!end.signal.aborted) {
      await turn().catch((error: unknown) => {
        if (!end.signal.aborted && !isApiError(error, "conflict", "notFound", "alreadyExists", "unavailable", "invalid"))
          throw error;
      });
      await sleep(turnMs, undefined, { signal: end.signal }).catch(() => undefined);
    }
  })();
  return Object.assign(state, {
    provisioned,
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await loop.catch(() => undefined);
    },
  });
}

async function bindClaims(
  client: Client,
  namespace: string,
  cluster: Pick<FakeCluster, "provision" | "driver" | "reclaim">,
  provisioned: Map<string, number>,
  signal: AbortSignal,
): Promise<void> {
  const { items } = await client.list(persistentVolumeClaims, { namespace }, signal);
  for (const claim of items) {
    if (claim.status?.phase === "Bound" || claim.metadata.deletionTimestamp !== undefined) continue;
    const { provision, driver, reclaim } = cluster; // as of now: a test may have set them since this turn began
    if (provision === "nothing") return;
    const name = volumeNameOf(claim.metadata.uid);
    const spec = {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce" as const],
      persistentVolumeReclaimPolicy: reclaim,
      claimRef: { namespace, name: claim.metadata.name, uid: claim.metadata.uid },
      csi: { driver, volumeHandle: `vdb-of-${claim.metadata.name}` },
    };
    await client.create(persistentVolumes, { metadata: { name }, spec }, signal);
    provisioned.set(claim.metadata.name, (provisioned.get(claim.metadata.name) ?? 0) + 1);
    await client.patch(persistentVolumeClaims, { namespace, name: claim.metadata.name }, { spec: { volumeName: name } }, signal);
    await client.patchStatus(
      persistentVolumeClaims,
      { namespace, name: claim.metadata.name },
      { status: { phase: "Bound" } },
      signal,
    );
  }
}

/** Claims go when no pod uses them, volumes when their claim is gone. */
async function endVolumes(client: Client, namespace: string, signal: AbortSignal): Promise<void> {
  const { items: claims } = await client.list(persistentVolumeClaims, { namespace }, signal);
  const { items: running } = await client.list(pods, { namespace }, signal);
  for (const { metadata } of claims) {
    const used = running.some(
      ({ spec, status }) =>
        status?.phase !== "Failed" && spec.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === metadata.name),
    );
    if (metadata.deletionTimestamp !== undefined && !used)
      await client.patch(persistentVolumeClaims, { namespace, name: metadata.name }, { metadata: { finalizers: null } }, signal);
  }
  const { items: volumes } = await client.list(persistentVolumes, {}, signal);
  for (const { metadata, spec } of volumes) {
    if (spec.persistentVolumeReclaimPolicy === "Retain") continue;
    if (spec.claimRef?.namespace !== namespace || claims.some(({ metadata: { uid } }) => uid === spec.claimRef?.uid)) continue;
    await client.delete(persistentVolumes, { name: metadata.name }, signal).catch(() => undefined);
    await client.patch(persistentVolumes, { name: metadata.name }, { metadata: { finalizers: null } }, signal);
  }
}

async function runDeployments(
  client: Client,
  namespace: string,
  containers: Pick<FakeCluster, "container" | "details">,
  signal: AbortSignal,
): Promise<void> {
  const { items: wanted } = await client.list(deployments, { namespace }, signal);
  // One that was evicted stays until somebody deletes it.
  const running = (await client.list(pods, { namespace }, signal)).items.filter(
    ({ status, metadata }) => status?.phase !== "Failed" && metadata.annotations?.["deployment"] !== undefined,
  );
  for (const pod of running) {
    const owner = wanted.find(({ metadata }) => pod.metadata.annotations?.["deployment"] === metadata.uid);
    if (owner === undefined || owner.spec.replicas === 0 || pod.metadata.annotations?.["generation"] !== templateOf(owner))
      await client.delete(pods, { namespace, name: pod.metadata.name }, signal, { gracePeriodSeconds: 0 });
  }
  for (const deployment of wanted) await runDeployment(client, deployment, running, containers, signal);
}

/** Tells the pods of one template from those of another. */
export const templateOf = ({ spec }: Deployment): string =>
  createHash("sha256").update(JSON.stringify(spec.template)).digest("hex");

async function runDeployment(
  client: Client,
  deployment: Deployment,
  running: readonly Pod[],
  containers: Pick<FakeCluster, "container" | "details">,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace = "", uid, generation } = deployment.metadata;
  const own = running.filter(({ metadata }) => metadata.annotations?.["deployment"] === uid);
  if (deployment.spec.replicas === 1 && own.length === 0) {
    const { metadata = {}, spec } = deployment.spec.template;
    const annotations = { ...metadata.annotations, deployment: uid, generation: templateOf(deployment) };
    const suffix = String(Date.now()).slice(-6);
    await client.create(
      plainPods,
      { metadata: { name: `${name}-${suffix}`, namespace, labels: metadata.labels ?? {}, annotations }, spec },
      signal,
    );
  }
  for (const pod of own) await setContainer(client, pod, containers.container(pod), containers.details(pod), signal);
  const status = { observedGeneration: generation ?? 0, replicas: own.length, updatedReplicas: own.length };
  if (deployment.status?.observedGeneration !== generation || deployment.status?.updatedReplicas !== own.length)
    await client.patchStatus(deployments, { namespace, name }, { status }, signal);
}

async function setContainer(
  client: Client,
  pod: Pod,
  state: ContainerStatus["state"],
  details: Partial<ContainerStatus>,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace = "", uid } = pod.metadata;
  const { ready = state?.running !== undefined } = details;
  const present = pod.status?.containerStatuses?.[0];
  if (present?.ready === ready && JSON.stringify(Object.keys(present.state ?? {})) === JSON.stringify(Object.keys(state ?? {})))
    return;
  const status = {
    name: "postgres",
    ready,
    started: ready,
    restartCount: 0,
    image: "",
    imageID: "",
    containerID: `containerd://${uid}`,
    ...(state === undefined ? {} : { state }),
    ...details,
  };
  await client.patchStatus(
    pods,
    { namespace, name },
    { status: { phase: ready ? "Running" : "Pending", containerStatuses: [status] } },
    signal,
  );
}
