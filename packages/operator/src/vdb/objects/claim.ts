import { annotationsOf, labelsOf, ownershipOf, type PostgresVDB } from "@vdb/api";
import type { Manifest, PersistentVolumeClaim } from "kube-runtime";
import type { ResolvedSource } from "../../data/source.ts";
import { childLabels, claimName, ownerOf } from "../names.ts";

const gibibyte = 2 ** 30;

/** The claim of a database made from a dSource: what the CSI driver provisions by. */
export function desiredClaim(
  vdb: PostgresVDB,
  contentId: string,
  source: ResolvedSource,
  defaultClass: string,
): Manifest<PersistentVolumeClaim> {
  const { mountPath, storageClassName = defaultClass, storageSize, accessModes } = vdb.spec;
  return {
    metadata: {
      name: claimName(vdb, contentId),
      namespace: vdb.metadata.namespace,
      labels: { ...labelsOf(source.identity), ...childLabels(vdb) },
      annotations: annotationsOf({ ...source.identity, mountPath, ...ownershipOf(vdb.spec) }),
      ownerReferences: ownerOf(vdb),
    },
    spec: {
      accessModes: [...accessModes],
      storageClassName,
      volumeMode: "Filesystem",
      resources: { requests: { storage: String(storageSize ?? sizeOf(source.sizeBytes)) } },
    },
  };
}

/** The source's size in whole GiB; 1 where it is not known: thin clones grow as far as the pool does. */
function sizeOf(bytes: number | undefined): string {
  return `${Math.max(1, Math.ceil((bytes ?? 0) / gibibyte))}Gi`;
}
