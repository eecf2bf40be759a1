import type { PostgresVDB } from "@vdb/api";
import type { ConfigMap, Manifest } from "kube-runtime";
import { startScript } from "../../postgres/generated/start-script.ts";
import { tlsScript } from "../../postgres/generated/tls-script.ts";
import { hbaFile } from "../../postgres/hba.ts";
import { childLabels, configMapName, ownerOf } from "../names.ts";

/** Whether clients are admitted. Shut until every hook of the stage has succeeded. */
export type Gate = "shut" | "open";

export const hbaKey = "pg_hba.conf";
export const settingsKey = "settings.conf";
export const scriptKey = "start.sh";
export const tlsScriptKey = "tls.sh";

/** What the container starts by: the start script, the manifest's settings, and who may connect. */
export function desiredConfigMap(
  vdb: PostgresVDB,
  { contentId, gate, settings }: { readonly contentId: string; readonly gate: Gate; readonly settings: string },
): Manifest<ConfigMap> {
  return {
    metadata: {
      name: configMapName(vdb),
      namespace: vdb.metadata.namespace,
      labels: childLabels(vdb),
      ownerReferences: ownerOf(vdb),
    },
    data: {
      [scriptKey]: startScript,
      [settingsKey]: settings,
      [hbaKey]: hbaFile(contentId, gate, vdb.spec.tls?.withoutTls),
      ...(vdb.spec.tls === undefined ? {} : { [tlsScriptKey]: tlsScript }),
    },
  };
}
