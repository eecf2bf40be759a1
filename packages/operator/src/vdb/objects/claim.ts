import { createHash } from "node:crypto";
import { ownershipOf, type PostgresVDB } from "@vdb/api";
import type { Manifest, ObjectReferenceInNamespace, PersistentVolumeClaim } from "kube-runtime";
import type { VdbDefaults } from "../../config.ts";
import type { Making } from "../../data/source.ts";
import { childLabels, claimName, ownerOf } from "../names.ts";

/** On a claim: what of the manifest it was made from, so that a correction is seen while it holds no data yet. */
const madeFromAnnotation = "postgresvdb.core.delphix.com/made-from";

const gibibyte = 2 ** 30;

/** The claim of a database: what its source wants it to say, as the manifest has it, owned by the database. */
export function desiredClaim(
  vdb: PostgresVDB,
  contentId: string,
  plan: Making,
  defaults: VdbDefaults,
  dataSource?: ObjectReferenceInNamespace,
): Manifest<PersistentVolumeClaim> {
  const { storageSize, accessModes } = vdb.spec;
  const storageClassName = plan.from?.storageClassName ?? vdb.spec.storageClassName ?? defaults.storageClassName;
  return {
    metadata: {
      name: claimName(vdb, contentId),
      namespace: vdb.metadata.namespace,
      labels: { ...plan.labels, ...childLabels(vdb) },
      annotations: { ...plan.annotations, [madeFromAnnotation]: madeFrom(vdb, defaults) },
      ownerReferences: ownerOf(vdb),
    },
    spec: {
      accessModes: [...accessModes],
      storageClassName,
      volumeMode: "Filesystem",
      ...(dataSource === undefined ? {} : { dataSource }),
      resources: { requests: { storage: String(storageSize ?? sizeOf(plan.sizeBytes)) } },
    },
  };
}

/** The source's size in whole GiB; 1 where it is not known: thin clones grow as far as the pool does. */
function sizeOf(bytes: number | undefined): string {
  return `${Math.max(1, Math.ceil((bytes ?? 0) / gibibyte))}Gi`;
}

/** A hash of everything that is read when the volume is made, and of nothing else. */
function madeFrom({ spec }: PostgresVDB, defaults: VdbDefaults): string {
  const { source, mountPath, storageSize = "", accessModes } = spec;
  const { vdbGroupName, envName, storageClassName } = { ...defaults, ...spec };
  const { uid, gid } = ownershipOf(spec);
  const reads = [source.type, source.reference, source.namespace ?? "", vdbGroupName, envName ?? "", storageClassName];
  return createHash("sha256")
    .update(JSON.stringify([...reads, mountPath, storageSize, accessModes.toSorted(), uid, gid]))
    .digest("hex")
    .slice(0, 16);
}

/** Whether a claim was made by another manifest than the present one. One that does not say by which is taken as it is. */
export function isOutdated(
  { metadata: { annotations = {} } }: PersistentVolumeClaim,
  vdb: PostgresVDB,
  defaults: VdbDefaults,
): boolean {
  const found = annotations[madeFromAnnotation];
  return found !== undefined && found !== madeFrom(vdb, defaults);
}
