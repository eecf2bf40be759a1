import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createDctConnection, decodeCredentials } from "@vdb/dct";
import type { Log } from "kube-runtime";
import { type Connection, createClient, httpApi, inClusterConnection, secrets } from "kube-runtime";
import type { Config } from "./config.ts";
import { controllerExpandVolume } from "./controller/controller-expand-volume.ts";
import { controllerGetCapabilities } from "./controller/controller-get-capabilities.ts";
import { controllerGetVolume } from "./controller/controller-get-volume.ts";
import { controllerPublishVolume } from "./controller/controller-publish-volume.ts";
import { controllerUnpublishVolume } from "./controller/controller-unpublish-volume.ts";
import { createVolume } from "./controller/create-volume.ts";
import { deleteVolume } from "./controller/delete-volume.ts";
import { listVolumes } from "./controller/list-volumes.ts";
import { readDefaults } from "./controller/read-defaults.ts";
import { validateVolumeCapabilities } from "./controller/validate-volume-capabilities.ts";
import type { Service } from "./grpc/handler.ts";
import { KeyedLock } from "./grpc/keyed-lock.ts";
import { serve } from "./grpc/serve.ts";
import { serveHealth } from "./health.ts";
import { getPluginCapabilities } from "./identity/get-plugin-capabilities.ts";
import { getPluginInfo } from "./identity/get-plugin-info.ts";
import { probe } from "./identity/probe.ts";
import { systemMounts } from "./node/mounts.ts";
import { nodeGetCapabilities } from "./node/node-get-capabilities.ts";
import { nodeGetInfo } from "./node/node-get-info.ts";
import { nodeGetVolumeStats } from "./node/node-get-volume-stats.ts";
import { nodePublishVolume } from "./node/node-publish-volume.ts";
import { nodeUnpublishVolume } from "./node/node-unpublish-volume.ts";
import { getInfo } from "./registration/get-info.ts";
import { notifyRegistrationStatus } from "./registration/notify-registration-status.ts";
import { createSnapshot } from "./snapshots/create-snapshot.ts";
import { deleteSnapshot } from "./snapshots/delete-snapshot.ts";
import { getSnapshot } from "./snapshots/get-snapshot.ts";
import { listSnapshots } from "./snapshots/list-snapshots.ts";

export interface Running extends AsyncDisposable {
  readonly healthPort: number;
}

/**
 * Starts the half of the driver that the configuration names; disposing ends it. `failed` is called when the kubelet refuses
 * the driver: only a new start with new sockets makes it ask again.
 */
export async function startDriver(config: Config, log: Log, failed: (reason: string) => void): Promise<Running> {
  await using stack = new AsyncDisposableStack();
  const identity: Service = {
    GetPluginInfo: getPluginInfo(config.driverName),
    GetPluginCapabilities: getPluginCapabilities,
    Probe: probe,
  };
  const services = {
    "csi.v1.Identity": identity,
    ...(config.mode === "node" ? {} : { "csi.v1.Controller": await controllerService(config, stack) }),
    ...(config.mode === "controller" ? {} : { "csi.v1.Node": nodeService(config) }),
  };
  stack.use(await serve({ endpoint: config.endpoint, services, log }));
  // Announced to the kubelet last, when everything it will ask for answers; disposed first, for the same reason.
  if (config.mode === "node") stack.use(await serveRegistration(config, log, failed));
  const health = stack.use(await serveHealth(config.healthPort));
  const running = stack.move();
  return { healthPort: health.port, [Symbol.asyncDispose]: async () => await running.disposeAsync() };
}

async function controllerService(
  { driverName, kubernetesUrl, pod, credentials, defaults, configMap, attach }: Config,
  stack: AsyncDisposableStack,
): Promise<Service> {
  const connection = kubernetesUrl === undefined ? await inClusterConnection(pod) : unprotected(kubernetesUrl);
  if (connection === undefined)
    throw new Error(
      "the driver does not run in a pod with a service account (KUBERNETES_SERVICE_HOST and its token are missing): set --kubernetes-url",
    );
  const kubernetes = createClient(stack.use(httpApi(connection)), { fieldManager: driverName, timeoutSeconds: 5 });
  // Asked for instead of mounted: the embedded engine fills the Secret in after the pods started, and a mounted one would show
  // that up to a minute and a half later (the kubelet's sync period and cache).
  const read = async (signal: AbortSignal) => decodeCredentials(await kubernetes.find(secrets, credentials, signal), credentials);
  // Volumes come and go by the minute, not by the second: one more read costs nothing, and no call uses an old key.
  const dct = stack.use(createDctConnection({ read, believedSeconds: 0 }));
  const volumes = {
    kubernetes,
    dct,
    defaults: async (signal: AbortSignal) => await readDefaults(kubernetes, configMap, defaults, signal),
    locks: new KeyedLock(),
  };
  return {
    CreateVolume: createVolume(volumes),
    DeleteVolume: deleteVolume(volumes),
    ControllerExpandVolume: controllerExpandVolume(volumes),
    ListVolumes: listVolumes(volumes),
    ControllerGetVolume: controllerGetVolume(volumes),
    ValidateVolumeCapabilities: validateVolumeCapabilities(volumes),
    CreateSnapshot: createSnapshot(volumes),
    DeleteSnapshot: deleteSnapshot(volumes),
    ListSnapshots: listSnapshots(volumes),
    GetSnapshot: getSnapshot(volumes),
    ControllerGetCapabilities: controllerGetCapabilities(attach),
    ...(attach
      ? {
          ControllerPublishVolume: controllerPublishVolume(volumes),
          ControllerUnpublishVolume: controllerUnpublishVolume(volumes),
        }
      : {}),
  };
}

const unprotected = (url: string): Connection => ({
  server: new URL(url),
  pathPrefix: "",
  namespace: "default",
  tls: async () => ({}),
  headers: async () => ({}),
});

function nodeService({ nodeId, poolDir, stageDir }: Config): Service {
  const volumes = { mounts: systemMounts(stageDir), poolDir, stageDir, locks: new KeyedLock() };
  return {
    NodePublishVolume: nodePublishVolume(volumes),
    NodeUnpublishVolume: nodeUnpublishVolume(volumes),
    NodeGetVolumeStats: nodeGetVolumeStats(volumes),
    NodeGetInfo: nodeGetInfo(nodeId),
    NodeGetCapabilities: nodeGetCapabilities,
  };
}

/** The driver announces itself: the kubelet watches this folder for sockets, and forgets the driver when its socket goes. */
async function serveRegistration(
  { driverName, kubeletDir, endpoint }: Config,
  log: Log,
  failed: (reason: string) => void,
): Promise<AsyncDisposable> {
  const folder = join(kubeletDir, "plugins_registry");
  mkdirSync(folder, { recursive: true });
  return await serve({
    endpoint: `unix://${join(folder, `${driverName}-reg.sock`)}`,
    services: {
      "pluginregistration.Registration": {
        GetInfo: getInfo(driverName, new URL(endpoint).pathname),
        NotifyRegistrationStatus: notifyRegistrationStatus(log, failed),
      },
    },
    log,
  });
}
