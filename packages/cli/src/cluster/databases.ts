import { type PostgresVDB, postgresVDB, resourceOf } from "@vdb/api";
import { isApiError, resourceName } from "kube-runtime";
import { Complaint } from "../complaint.ts";
import { MissingRight } from "./missing-right.ts";
import type { Session } from "./session.ts";

export const databases = resourceOf(postgresVDB);

/** The database of that name. Throws saying which there are; where the user may not see it, that. */
export async function databaseOf({ client, namespace }: Session, name: string, signal: AbortSignal): Promise<PostgresVDB> {
  const found = await client.find(databases, { namespace, name }, signal);
  if (found !== undefined) return found;
  throw new Complaint(`there is no PostgresVDB ${name} in namespace ${namespace}`, await choices({ client, namespace }, signal));
}

async function choices({ client, namespace }: Pick<Session, "client" | "namespace">, signal: AbortSignal): Promise<string[]> {
  try {
    const { items } = await client.list(databases, { namespace }, signal);
    if (items.length === 0) return [`this namespace has none: name another with -n, or see kubectl vdb list -A`];
    return [`there are: ${items.map(({ metadata }) => metadata.name).join(", ")}`];
  } catch (error) {
    if (isApiError(error, "notFound")) return [notServed];
    if (error instanceof MissingRight) return [`which there are cannot be said: ${error.message}`];
    throw error;
  }
}

/** Said where the API server answers that it has no such resource at all. */
export const notServed = `the cluster does not know ${resourceName(databases)}: is the chart delphix-operator installed?`;
