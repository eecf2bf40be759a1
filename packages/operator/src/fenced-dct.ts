import { createDctClient } from "@vdb/dct";
import type { Manager } from "kube-runtime";

/** Connects to DCT for the leader alone: a replica that has lost its Lease must not begin what its successor has begun. */
export function fencedDct({ assertLeading }: Pick<Manager, "assertLeading">): typeof createDctClient {
  return (options) => createDctClient({ ...options, beforeSend: () => assertLeading("a call to DCT") });
}
