import { status } from "@grpc/grpc-js";
import {
  type DatasetGroup,
  type DctClient,
  type Engine,
  type Environment,
  type Repository,
  type Resolved,
  resolveDataset,
  resolveEnvironment,
  resolveGroup,
} from "@vdb/dct";
import { RpcError } from "../grpc/rpc-error.ts";
import { type PlaceSpec, type SourceSpec, sourceReference } from "./volume-spec.ts";

/** What a VDB is made of. */
export interface Origin {
  readonly engine: Engine;
  readonly datasetId: string;
  /** Left out of a VDB: the embedded engine then takes one, so that the copy has its data as of now; a DCT takes the latest. */
  readonly snapshotId: string | undefined;
}

/** The objects of DCT behind the names of a claim. */
export interface Places {
  readonly origin: Origin;
  readonly group: DatasetGroup;
  readonly environment: Environment;
  readonly repository: Repository;
}

/** The source that a claim names. A name that DCT does not know is NOT_FOUND, with the choices there are: the claim can be corrected. */
export async function resolveSource(dct: DctClient, spec: SourceSpec, signal: AbortSignal): Promise<Origin> {
  const source = value(await resolveDataset(dct, sourceReference(spec), signal));
  // Of a VDB the engine takes one when it provisions.
  if (source.latestSnapshot === undefined && source.kind === "dSource")
    throw new RpcError(
      status.FAILED_PRECONDITION,
      `${source.kind} ${sourceReference(spec)} has no snapshot yet (status: ${source.dataset.status ?? "unknown"}): wait for its first one`,
    );
  const snapshotId = source.kind === "VDB" ? undefined : source.latestSnapshot?.id;
  return { engine: source.engine, datasetId: source.dataset.id, snapshotId };
}

/** Where the VDB of a claim is to lie, refused like a source that DCT does not know. */
export async function resolvePlaces(dct: DctClient, origin: Origin, spec: PlaceSpec, signal: AbortSignal): Promise<Places> {
  const [group, environment] = await Promise.all([
    resolveGroup(dct, origin.engine, spec.group, signal),
    resolveEnvironment(dct, origin.engine, spec.environment, signal),
  ]);
  const place = value(environment);
  return { origin, group: value(group), environment: place, repository: repositoryOf(place, spec.repository) };
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
