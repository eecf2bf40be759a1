import { apiVersionOf, type PostgresVDB, postgresVDB } from "@vdb/api";
import type { Client } from "kube-runtime";
import { grantFor, isGranted, type Reference } from "../access/grant.ts";
import { isServed, servedText } from "../access/served.ts";
import type { OperatorConfig } from "../config.ts";
import { SourceRefusal } from "./refusal.ts";

/** What a database is copied from. */
export interface Copied {
  readonly kind: keyof typeof groups;
  readonly namespace: string;
  readonly name: string;
}

type Allowance = Pick<OperatorConfig, "watchNamespaces" | "allowCrossNamespace">;

/** Throws a SourceRefusal with the grant to write when the source is in another namespace, which does not allow it. */
export async function mustBeGranted(
  client: Client,
  vdb: PostgresVDB,
  { kind, namespace, name }: Copied,
  { watchNamespaces, allowCrossNamespace }: Allowance,
  signal: AbortSignal,
): Promise<void> {
  if (namespace === vdb.metadata.namespace) return;
  if (!isServed(watchNamespaces, namespace))
    throw new SourceRefusal(
      "ReferenceNotGranted",
      `this operator serves ${servedText(watchNamespaces)}, so a source in ${namespace} is out of its reach`,
    );
  const reference = referenceOf(vdb, kind, namespace, name);
  if (allowCrossNamespace || (await isGranted(client, reference, signal))) return;
  throw new SourceRefusal(
    "ReferenceNotGranted",
    `the namespace ${namespace} does not allow a PostgresVDB of the namespace ${vdb.metadata.namespace} to copy its ${kind} ${name}; ` +
      `its owner can apply this grant: ${grantFor(reference)}`,
  );
}

const [group = ""] = apiVersionOf(postgresVDB).split("/");
const groups = { PersistentVolumeClaim: "", VolumeSnapshot: "snapshot.storage.k8s.io", PostgresVDB: group } as const;

function referenceOf(vdb: PostgresVDB, kind: Copied["kind"], namespace: string, name: string): Reference {
  return {
    from: { group, kind: postgresVDB.kind, namespace: vdb.metadata.namespace },
    to: { group: groups[kind], kind, namespace, name },
  };
}
