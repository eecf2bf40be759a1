import { status } from "@grpc/grpc-js";
import {
  type Dataset,
  type DatasetGroup,
  type DctClient,
  type Environment,
  type Repository,
  type Resolved,
  resolveDataset,
  resolveEnvironment,
  resolveGroup,
} from "@vdb/dct";
import { RpcError } from "../grpc/rpc-error.ts";
import { sourceReference, type VolumeSpec } from "./volume-spec.ts";

/** The objects of DCT behind the names of a claim. */
export interface Places {
  readonly source: Dataset;
  readonly group: DatasetGroup;
  readonly environment: Environment;
  readonly repository: Repository;
}

/** Looks every name up. A name that DCT does not know is NOT_FOUND, with the choices there are: the claim can be corrected. */
export async function resolveVolume(dct: DctClient, spec: VolumeSpec, signal: AbortSignal): Promise<Places> {
  const source = value(await resolveDataset(dct, sourceReference(spec), signal));
  // Of a VDB the engine takes one when it provisions.
  if (source.latestSnapshot === undefined && source.kind === "dSource")
    throw new RpcError(
      status.FAILED_PRECONDITION,
      `${source.kind} ${sourceReference(spec)} has no snapshot yet (status: ${source.dataset.status ?? "unknown"}): wait for its first one`,
    );
  const [group, environment] = await Promise.all([
    resolveGroup(dct, source.engine, spec.group, signal),
    resolveEnvironment(dct, source.engine, spec.environment, signal),
  ]);
  const place = value(environment);
  return { source, group: value(group), environment: place, repository: repositoryOf(place, spec.repository) };
}

function value<T>(resolved: Resolved<T>): T {
  if (resolved.ok) return resolved.value;
  throw new RpcError(status.NOT_FOUND, `${resolved.reason}: ${resolved.message}`);
}

/** Without a name the one that fits: for plain folders the connector offers "Empty vFile Repository". */
const usualRepository = "Empty vFile Repository";

function repositoryOf({ name, repositories = [] }: Environment, wanted: string | undefined): Repository {
  const named = (one: string): Repository | undefined => repositories.find((repository) => repository.name === one);
  const [only, ...others] = repositories;
  const found = wanted === undefined ? (named(usualRepository) ?? (others.length === 0 ? only : undefined)) : named(wanted);
  if (found !== undefined) return found;
  const choices =
    repositories.length === 0
      ? "none"
      : repositories
          .map((one) => one.name)
          .toSorted()
          .join(", ");
  const missing = wanted === undefined ? "several repositories: name one" : `no repository "${wanted}"`;
  throw new RpcError(status.NOT_FOUND, `RepositoryNotFound: environment ${name} has ${missing}; its repositories: ${choices}`);
}
