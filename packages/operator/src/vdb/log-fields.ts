import type { PostgresVDB } from "@vdb/api";

/**
 * What each line of log about a database says: by `vdb` its story is found, and by `claim` and `delphixID` what the CSI driver and the
 * engine, which know nothing of PostgresVDBs, have to say of it.
 */
export const vdbLogFields = ({
  metadata: { namespace, name },
  status: { pvcName, delphixID },
}: PostgresVDB): Readonly<Record<string, unknown>> => ({
  vdb: `${namespace}/${name}`,
  claim: pvcName === undefined ? undefined : `${namespace}/${pvcName}`,
  delphixID,
});
