import { annotationsOf, labelsOf, ownershipOf, type PostgresVDB } from "@vdb/api";
import type { ClaimPlan, ResolvedSource } from "../source.ts";

/** Pure: the CSI driver reads in the annotations what to provision from what, for whom and where it is mounted. */
export function dctClaim({ spec }: PostgresVDB, { identity, sizeBytes }: ResolvedSource): ClaimPlan {
  return {
    kind: "make",
    labels: labelsOf(identity),
    annotations: annotationsOf({ ...identity, mountPath: spec.mountPath, ...ownershipOf(spec) }),
    sizeBytes,
  };
}
