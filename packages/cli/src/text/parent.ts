import { type PostgresVDB, sourceReference } from "@vdb/api";

const words = { "pvc-clone": "claim", "pvc-adopt": "adopted claim", "k8s-snapshot": "VolumeSnapshot" } as const;

/** What a database's data is made from: `delphix-engine:production`, `VolumeSnapshot monday`, `claim staging/orders`. */
export function parentOf({ spec: { source }, metadata: { namespace } }: PostgresVDB): string {
  const reference = sourceReference(source, namespace);
  if (reference.type === "dct-source") return `${reference.engine}:${reference.name}`;
  const place = reference.namespace === namespace ? "" : `${reference.namespace}/`;
  return `${words[reference.type]} ${place}${reference.name}`;
}
