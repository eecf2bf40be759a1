/**
 * What kstatus (the library that Flux, Argo CD and kpt wait by) makes of an object: the part of its rules that concerns custom
 * kinds. The integration tests hold this against the library itself.
 */
export type Kstatus = "Terminating" | "InProgress" | "Failed" | "Current";

interface Seen {
  readonly metadata: { readonly generation: number; readonly deletionTimestamp?: string };
  readonly status: {
    readonly observedGeneration: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export function kstatusOf({ metadata, status }: Seen): Kstatus {
  const is = (type: string): string | undefined => status.conditions?.find((condition) => condition.type === type)?.status;
  if (metadata.deletionTimestamp !== undefined) return "Terminating";
  if (status.observedGeneration !== metadata.generation) return "InProgress";
  if (is("Reconciling") === "True") return "InProgress";
  if (is("Stalled") === "True") return "Failed";
  return is("Ready") === "False" || is("Ready") === "Unknown" ? "InProgress" : "Current";
}
