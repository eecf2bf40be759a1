import { messageOf } from "../grpc/message.ts";
import { unavailable } from "../grpc/rpc-error.ts";
import type { KubernetesApi } from "./api.ts";

/** How DCT is reached. */
export interface Credentials {
  readonly url: string;
  readonly apiKey: string;
  readonly caPem?: string;
}

/**
 * Reads the Secret at each call instead of mounting it: the embedded engine fills it in after the pods started, and a mounted
 * Secret would show that up to a minute and a half later (the kubelet's sync period and cache).
 */
export const secretCredentials =
  (api: KubernetesApi, namespace: string, name: string) =>
  async (signal: AbortSignal): Promise<Credentials> => {
    const secret = await api.get(`/api/v1/namespaces/${namespace}/secrets/${name}`, signal);
    const where = `Secret ${namespace}/${name}`;
    if (secret === undefined) throw unavailable(`${where} does not exist: it has to hold DCT_URL and DCT_KEY`);
    return decodeCredentials(messageOf(secret).strings("data"), where);
  };

export function decodeCredentials(data: Readonly<Record<string, string>>, where: string): Credentials {
  const value = (key: string): string =>
    Buffer.from(data[key] ?? "", "base64")
      .toString()
      .trim();
  const [host, key, caPem] = [value("DCT_URL"), value("DCT_KEY"), value("ca.crt")];
  if (host === "" || key === "")
    throw unavailable(`${where} holds no ${host === "" ? "DCT_URL" : "DCT_KEY"} yet: the engine fills it in at its first start`);
  // The vendor's own chart writes a bare host name, and the key as DCT shows it, with the scheme before it.
  return {
    url: host.includes("://") ? host : `https://${host}`,
    apiKey: key.replace(/^apk\s+/u, ""),
    ...(caPem === "" ? {} : { caPem }),
  };
}
