import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import type { Config } from "./config.ts";
import { controllerGetCapabilities } from "./controller/controller-get-capabilities.ts";
import { createVolume } from "./controller/create-volume.ts";
import { dctConnection } from "./controller/dct-connection.ts";
import { deleteVolume } from "./controller/delete-volume.ts";
import { validateVolumeCapabilities } from "./controller/validate-volume-capabilities.ts";
import { driverName } from "./driver.ts";
import type { Service } from "./grpc/handler.ts";
import { KeyedLock } from "./grpc/keyed-lock.ts";
import { serve } from "./grpc/serve.ts";
import { serveHealth } from "./health.ts";
import { getPluginCapabilities } from "./identity/get-plugin-capabilities.ts";
import { getPluginInfo } from "./identity/get-plugin-info.ts";
import { probe } from "./identity/probe.ts";
import { createKubernetesApi } from "./kubernetes/api.ts";
import { secretCredentials } from "./kubernetes/credentials.ts";
import { systemMounts } from "./node/mounts.ts";
import { nodeGetCapabilities } from "./node/node-get-capabilities.ts";
import { nodeGetInfo } from "./node/node-get-info.ts";
import { nodePublishVolume } from "./node/node-publish-volume.ts";
import { nodeUnpublishVolume } from "./node/node-unpublish-volume.ts";
import { getInfo } from "./registration/get-info.ts";
import { notifyRegistrationStatus } from "./registration/notify-registration-status.ts";

export interface Running extends AsyncDisposable {
  readonly healthPort: number;
}

/**
 * Starts the half of the driver that the configuration names; disposing ends it. `failed` is called when the kubelet refuses
 * the driver: only a new start with new sockets makes it ask again.
 */
export async function startDriver(config: Config, log: Logger, failed: (reason: string) => void): Promise<Running> {
  await using stack = new AsyncDisposableStack();
  const identity: Service = { GetPluginInfo: getPluginInfo, GetPluginCapabilities: getPluginCapabilities, Probe: probe };
  const services = {
    "csi.v1.Identity": identity,
    ...(config.mode === "node" ? {} : { "csi.v1.Controller": controllerService(config, stack) }),
    ...(config.mode === "controller" ? {} : { "csi.v1.Node": nodeService(config) }),
  };
  stack.use(await serve({ endpoint: config.endpoint, services, log }));
  // Announced to the kubelet last, when everything it will ask for answers; disposed first, for the same reason.
  if (config.mode === "node") stack.use(await serveRegistration(config, log, failed));
  const health = stack.use(await serveHealth(config.healthPort));
  const running = stack.move();
  return { healthPort: health.port, [Symbol.asyncDispose]: async () => await running.disposeAsync() };
}

function controllerService({ kubernetes, credentials, defaults }: Config, stack: AsyncDisposableStack): Service {
  const api = stack.use(createKubernetesApi(kubernetes));
  const dct = stack.use(dctConnection(secretCredentials(api, credentials.namespace, credentials.secret)));
  const volumes = { kubernetes: api, dct, defaults, locks: new KeyedLock() };
  return {
    CreateVolume: createVolume(volumes),
    DeleteVolume: deleteVolume(volumes),
    ValidateVolumeCapabilities: validateVolumeCapabilities(volumes),
    ControllerGetCapabilities: controllerGetCapabilities,
  };
}

function nodeService({ nodeId, poolDir, stageDir }: Config): Service {
  const volumes = { mounts: systemMounts(stageDir), poolDir, locks: new KeyedLock() };
  return {
    NodePublishVolume: nodePublishVolume(volumes),
    NodeUnpublishVolume: nodeUnpublishVolume(volumes),
    NodeGetInfo: nodeGetInfo(nodeId),
    NodeGetCapabilities: nodeGetCapabilities,
  };
}

/** The driver announces itself: the kubelet watches this folder for sockets, and forgets the driver when its socket goes. */
async function serveRegistration(
  { kubeletDir, endpoint }: Config,
  log: Logger,
  failed: (reason: string) => void,
): Promise<AsyncDisposable> {
  const folder = join(kubeletDir, "plugins_registry");
  mkdirSync(folder, { recursive: true });
  return await serve({
    endpoint: `unix://${join(folder, `${driverName}-reg.sock`)}`,
    services: {
      "pluginregistration.Registration": {
        GetInfo: getInfo(new URL(endpoint).pathname),
        NotifyRegistrationStatus: notifyRegistrationStatus(log, failed),
      },
    },
    log,
  });
}
