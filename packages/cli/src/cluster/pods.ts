import { type PostgresVDB, safeLabelValue } from "@vdb/api";
import { type Pod, pods } from "kube-runtime";
import type { Session } from "./session.ts";

/** The container of a database's pod. */
export const containerName = "postgres";

/** What the operator has made for a database of that name. */
export const madeFor = (name: string): string =>
  `app.kubernetes.io/instance=${safeLabelValue(name)},app.kubernetes.io/managed-by=delphix-operator`;

/** The pods that the operator has made for a database, the one that runs first. */
export async function podsOf(
  { client }: Session,
  { metadata: { namespace, name } }: PostgresVDB,
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  const { items } = await client.list(pods, { namespace, labelSelector: madeFor(name) }, signal);
  return items.toSorted((a, b) => Number(isRunning(b)) - Number(isRunning(a)));
}

export const isRunning = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined && status?.phase === "Running";
