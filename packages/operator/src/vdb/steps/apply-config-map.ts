import { type ConfigMap, configMaps, type Manifest } from "kube-runtime";
import { hbaContent } from "../../postgres/hba.ts";
import type { VdbContext } from "../context.ts";
import { holds } from "../decide/holds.ts";
import { desiredConfigMap, type Gate, hbaKey } from "../objects/config-map.ts";
import { applyOwn, type NotApplied } from "./apply-own.ts";

/**
 * Writes the ConfigMap, if it is not so already. Gives it as it is then. A pg_hba.conf for other data is as good as a shut one: the
 * start script admits nobody by it.
 */
export async function applyConfigMap(
  ctx: VdbContext,
  { gate, settings }: { readonly gate: Gate; readonly settings: string },
  signal: AbortSignal,
): Promise<ConfigMap | NotApplied> {
  const { vdb, configMap, contentId } = ctx;
  const wanted = desiredConfigMap(vdb, { contentId, gate, settings });
  if (configMap !== undefined && holds(configMap, wanted)) return configMap;
  if (
    configMap !== undefined &&
    gate === "shut" &&
    isForOtherData(configMap, contentId) &&
    holds(configMap, withHbaOf(configMap, wanted))
  )
    return configMap;
  return await applyOwn(ctx, configMaps, wanted, configMap, signal);
}

/** One that names no content is none of ours. */
function isForOtherData({ data = {} }: ConfigMap, contentId: string): boolean {
  const content = hbaContent(data[hbaKey] ?? "");
  return content !== undefined && content !== contentId;
}

const withHbaOf = ({ data: present = {} }: ConfigMap, wanted: Manifest<ConfigMap>): Manifest<ConfigMap> => ({
  ...wanted,
  data: { ...wanted.data, [hbaKey]: present[hbaKey] ?? "" },
});
