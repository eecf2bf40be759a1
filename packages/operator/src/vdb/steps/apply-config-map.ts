import { type ConfigMap, configMaps } from "kube-runtime";
import type { VdbContext } from "../context.ts";
import { holds } from "../decide/holds.ts";
import { desiredConfigMap, type Gate } from "../objects/config-map.ts";
import { applyOwn, type NotApplied } from "./apply-own.ts";

/** Writes the ConfigMap, if it is not so already. Gives it as it is then. */
export async function applyConfigMap(
  ctx: VdbContext,
  { gate, settings }: { readonly gate: Gate; readonly settings: string },
  signal: AbortSignal,
): Promise<ConfigMap | NotApplied> {
  const { vdb, configMap, contentId } = ctx;
  const wanted = desiredConfigMap(vdb, { contentId, gate, settings });
  if (configMap !== undefined && holds(configMap, wanted)) return configMap;
  return await applyOwn(ctx, configMaps, wanted, configMap, signal);
}
