import type { PostgresVDB } from "@vdb/api";
import type { DataSource, DataSources } from "./source.ts";

/** The implementation for each source type that this version serves. */
export type Implementations = Readonly<Partial<Record<PostgresVDB["spec"]["source"]["type"], DataSource>>>;

export function createDataSources(implementations: Implementations, explain: DataSources["explain"]): DataSources {
  return {
    named: ({ spec }) => implementations[spec.source.type],
    // The type is recorded before the claim is made, so a later change of the manifest does not count.
    holding: ({ spec, status }) => implementations[status.source?.type ?? spec.source.type],
    explain,
  };
}
