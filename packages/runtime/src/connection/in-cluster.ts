import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Connection } from "./connection.ts";

const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";
/** The kubelet renews a token when a fifth of its life is left; reading it once a minute is what client-go does too. */
const defaultTokenAgeMs = 60_000;

export interface PodEnvironment {
  readonly host: string | undefined;
  readonly port: string | undefined;
  readonly folder?: string;
  /** How old a token may be before its file is read again. */
  readonly tokenAgeMs?: number;
}

/** The pod's service account, or undefined outside of a pod. The token is read anew as it is rotated. */
export async function inClusterConnection(environment: PodEnvironment): Promise<Connection | undefined> {
  const { host, port, folder = accountFolder, tokenAgeMs = defaultTokenAgeMs } = environment;
  if (host === undefined || port === undefined) return undefined;
  const tokenFile = join(folder, "token");
  const namespace = await readFile(join(folder, "namespace"), "utf8").catch(() => undefined);
  if (namespace === undefined) return undefined;
  const state = { token: "", readMs: -Infinity };
  return {
    server: new URL(`https://${host.includes(":") ? `[${host}]` : host}:${port}`),
    pathPrefix: "",
    namespace: namespace.trim(),
    tls: async () => ({ ca: await readFile(join(folder, "ca.crt"), "utf8") }),
    headers: async () => {
      if (performance.now() - state.readMs > tokenAgeMs) {
        state.token = (await readFile(tokenFile, "utf8")).trim();
        state.readMs = performance.now();
      }
      return { authorization: `Bearer ${state.token}` };
    },
  };
}
