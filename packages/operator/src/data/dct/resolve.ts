import type { PostgresVDB, SourceReference } from "@vdb/api";
import { type Dataset, type DctClient, resolveDataset, resolveEnvironment, resolveGroup } from "@vdb/dct";
import type { VdbDefaults } from "../../config.ts";
import type { Resolution } from "../source.ts";

type DctReference = Extract<SourceReference, { readonly type: "dct-source" }>;

export interface ResolveOptions {
  readonly defaults: VdbDefaults;
  readonly isShut: (id: string) => boolean;
}

/** Finds what a dct-source names. A copy of a database whose gate is shut would be a way around its hooks, and is refused. */
export async function resolveOpen(
  dct: DctClient,
  vdb: PostgresVDB,
  reference: DctReference,
  { defaults, isShut }: ResolveOptions,
  signal: AbortSignal,
): Promise<Resolution> {
  const found = await resolveDctSource(dct, vdb, reference, defaults, signal);
  if (!found.ok || found.source.id === undefined || !isShut(found.source.id)) return found;
  return {
    ok: false,
    reason: "SourceNotReady",
    message: `the gate of VDB ${reference.name} is still shut, so its data may be unmasked: wait until its hooks have succeeded`,
  };
}

/** Finds what a dct-source names: engine, dSource or VDB, group, environment, and the newest point in time. */
export async function resolveDctSource(
  dct: DctClient,
  { spec }: PostgresVDB,
  { engine, name }: DctReference,
  defaults: VdbDefaults,
  signal: AbortSignal,
): Promise<Resolution> {
  const dataset = await resolveDataset(dct, `${engine}:${name}`, signal);
  if (!dataset.ok) return dataset;
  const group = await resolveGroup(dct, dataset.value.engine, spec.vdbGroupName ?? defaults.vdbGroupName, signal);
  if (!group.ok) return group;
  const environment = await resolveEnvironment(dct, dataset.value.engine, spec.envName ?? defaults.envName, signal);
  if (!environment.ok) return environment;
  return resolution(dataset.value, { engine, name, group: group.value.name, environment: environment.value.name });
}

interface Names {
  readonly engine: string;
  readonly name: string;
  readonly group: string;
  readonly environment: string;
}

/**
 * What DCT found, as a Resolution. A dSource without a snapshot is not ready, nor is a VDB that DCT still provisions. The point in
 * time of a VDB's copy is known only after its provisioning, so it is absent here.
 */
export function resolution(
  { kind, dataset, latestSnapshot }: Omit<Dataset, "engine">,
  { engine, name, group, environment }: Names,
): Resolution {
  const isVdb = kind === "VDB";
  if (latestSnapshot === undefined && !(isVdb && dataset.status !== beingMade)) {
    const status = dataset.status === undefined ? "" : ` (its status: ${dataset.status})`;
    return { ok: false, reason: "SourceNotReady", message: `${kind} ${name} of engine ${engine} has no snapshot yet${status}` };
  }
  return {
    ok: true,
    source: {
      identity: { sourceRef: name, sourceDBName: name, vdbGroupName: group, envName: environment, engineName: engine },
      sizeBytes: dataset.size,
      postgresVersion: latestSnapshot?.version ?? dataset.database_version,
      dataTimestamp: isVdb ? undefined : latestSnapshot?.timestamp,
      id: dataset.id,
      snapshotId: isVdb ? undefined : latestSnapshot?.id,
      snapshotName: isVdb ? undefined : latestSnapshot?.name,
    },
  };
}

/** The embedded engine's word for a VDB that has no data yet. */
const beingMade = "PROVISIONING";
