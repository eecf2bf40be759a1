import type { Connection, ConnectionOptions } from "./connection.ts";

/** The pod's service account when there is one and no kubeconfig is named, else the kubeconfig. Throws saying what was tried. */
export async function loadConnection(_options: ConnectionOptions = {}): Promise<Connection> {
  throw new Error("not yet");
}
