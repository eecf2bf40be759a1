import { createDctClient } from "@vdb/dct";
import type { Manager } from "kube-runtime";

/** Connects to DCT for the leader alone: one that has lost its Lease meanwhile must not begin what its successor has begun. */
export function fencedDct({ assertLeading }: Pick<Manager, "assertLeading">): typeof createDctClient {
  return (options) => createDctClient({ ...options, beforeSend: () => assertLeading("a call to DCT") });
}
