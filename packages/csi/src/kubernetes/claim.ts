import { messageOf } from "../grpc/message.ts";
import type { KubernetesApi } from "./api.ts";

export interface ClaimName {
  readonly namespace: string;
  readonly name: string;
}

/** The annotations of a PersistentVolumeClaim; undefined when the claim is gone. */
export async function readClaimAnnotations(
  api: KubernetesApi,
  { namespace, name }: ClaimName,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>> | undefined> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/persistentvolumeclaims/${encodeURIComponent(name)}`;
  const claim = await api.get(path, signal);
  return claim === undefined ? undefined : (messageOf(claim).message("metadata")?.strings("annotations") ?? {});
}
