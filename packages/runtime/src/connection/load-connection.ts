import { errorMessage } from "../support/error-message.ts";
import type { Connection, ConnectionOptions } from "./connection.ts";
import { inClusterConnection } from "./in-cluster.ts";
import { kubeconfigConnection } from "./kubeconfig.ts";

/** The pod's service account when there is one and no kubeconfig is named, else the kubeconfig. Throws saying what was tried. */
export async function loadConnection(options: ConnectionOptions = {}): Promise<Connection> {
  const { kubeconfig, context } = options;
  if (kubeconfig === undefined && context === undefined) {
    const inside = await inClusterConnection({
      host: process.env["KUBERNETES_SERVICE_HOST"],
      port: process.env["KUBERNETES_SERVICE_PORT"],
    });
    if (inside !== undefined) return inside;
  }
  try {
    return await kubeconfigConnection(kubeconfig, context);
  } catch (cause) {
    const tried = kubeconfig ?? "the pod's service account, $KUBECONFIG, ~/.kube/config";
    throw new Error(`no way to reach an API server was found (tried: ${tried}): ${errorMessage(cause)}`, { cause });
  }
}
