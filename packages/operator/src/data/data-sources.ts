import type { PostgresVDB } from "@vdb/api";
import type { DataSource, DataSources } from "./source.ts";

/** The implementation for each source type that this version serves. */
export type Implementations = Readonly<Partial<Record<PostgresVDB["spec"]["source"]["type"], DataSource>>>;

export function createDataSources(implementations: Implementations, explain: DataSources["explain"]): DataSources {
  return {
    named: ({ spec }) => implementations[spec.source.type],
    // It is recorded before the claim is made, so that a manifest that was changed meanwhile leads nobody astray.
    holding: ({ spec, status }) => implementations[status.source?.type ?? spec.source.type],
    explain,
  };
}
