import { annotationsOf, identityIn, labelsOf, ownershipOf, type PostgresVDB, type VdbIdentity } from "@vdb/api";
import type { PersistentVolumeClaim } from "kube-runtime";
import type { ClaimPlan, ResolvedSource } from "../source.ts";

/** Group, environment and engine are those of the source's claim, where it says them. The manifest wins for what it may say. */
export function identityOf({ spec }: PostgresVDB, sourceRef: string, claim: PersistentVolumeClaim | undefined): VdbIdentity {
  const { vdbGroupName, envName, engineName } = identityIn(claim?.metadata.annotations ?? {});
  return { sourceRef, vdbGroupName: spec.vdbGroupName ?? vdbGroupName, envName: spec.envName ?? envName, engineName };
}

/** Pure. The annotations of a copy's claim tell a driver of ours where the volume belongs; others do not read them. */
export function claimOf({ spec }: PostgresVDB, { identity, sizeBytes, volume, adopts }: ResolvedSource): ClaimPlan {
  if (adopts !== undefined) return { kind: "adopt", claimName: adopts };
  return {
    kind: "make",
    labels: labelsOf(identity),
    annotations: annotationsOf({ ...identity, mountPath: spec.mountPath, ...ownershipOf(spec) }),
    sizeBytes,
    ...(volume === undefined ? {} : { from: volume }),
  };
}
