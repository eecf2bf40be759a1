import { createHash } from "node:crypto";
import { type PostgresVDB, safeLabelValue } from "@vdb/api";
import { controllerReference, type ObjectKey, type OwnerReference } from "kube-runtime";

/** The program's name: field manager, label value, reporter of events. */
export const operatorName = "delphix-operator";

export const instanceLabel = "app.kubernetes.io/instance";
export const managedByLabel = "app.kubernetes.io/managed-by";
/** On a pod: whose data it runs. The Service selects by it, so a gate that is open for other data admits no client. */
export const contentLabel = "postgresvdb.core.delphix.com/content";
/** On a pod that is not a plain Primary: how its server runs. The Service of a Standby selects by it. */
export const modeLabel = "postgresvdb.core.delphix.com/mode";
/** On an action: which schedule of its owner has made it. */
export const scheduleLabel = "postgresvdb.core.delphix.com/schedule";
/** On an action that a schedule has made: for which time. */
export const scheduledTime = "postgresvdb.core.delphix.com/scheduled-time";
/** Selects everything that this operator made: its caches hold nothing else. */
export const ownObjects = `${managedByLabel}=${operatorName}`;

export const containerName = "postgres";

/** The labels of everything made for one database. Not `delphix-operator` as the name: that one is the operator's own pods'. */
export function childLabels(vdb: PostgresVDB): Readonly<Record<string, string>> {
  return {
    "app.kubernetes.io/name": "postgresvdb",
    [instanceLabel]: safeLabelValue(vdb.metadata.name),
    [managedByLabel]: operatorName,
  };
}

/** Deployment and Service are named as the database. */
export const keyOfVdb = ({ metadata: { namespace, name } }: PostgresVDB): ObjectKey & { readonly namespace: string } => ({
  namespace,
  name,
});

/** Two words are kept for the operator's own ConfigMap, so that a namesake of the user's is unlikely. */
export const configMapName = (vdb: PostgresVDB): string => `${vdb.metadata.name}-postgres-config`;

/** The claim of one content. A refresh can so make the next one beside it. At most 253 characters: names of VDBs have 63. */
export const claimName = (vdb: PostgresVDB, contentId: string): string => `${vdb.metadata.name}-${contentId.slice(0, 6)}`;

/** The owner of every child: garbage collection deletes the child after the database. */
export const ownerOf = (vdb: PostgresVDB): readonly OwnerReference[] => [controllerReference(vdb)];

/** Twelve hexadecimal digits that follow from a text. */
export const shortHash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12);

/**
 * Names the present data. The first one follows from the object's uid alone: an operator that died before it wrote anything
 * down comes to the same name again, and so to the same claim.
 */
export function contentIdOf(vdb: PostgresVDB): string {
  return vdb.status.content?.id ?? shortHash(`content of ${vdb.metadata.uid}`);
}

/** Names the data that an action brings: by its uid, so that an operator that died comes to the same. */
export const contentIdOfAction = (uid: string): string => shortHash(`content of ${uid}`);
