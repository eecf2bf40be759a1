import { type Client, persistentVolumeClaims } from "kube-runtime";

export interface ClaimName {
  readonly namespace: string;
  readonly name: string;
}

/** The annotations of a PersistentVolumeClaim; undefined when the claim is gone. */
export async function readClaimAnnotations(
  client: Pick<Client, "find">,
  claim: ClaimName,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>> | undefined> {
  const found = await client.find(persistentVolumeClaims, claim, signal);
  return found === undefined ? undefined : (found.metadata.annotations ?? {});
}
