import { type ConfigMap, configMaps, type Manifest } from "kube-runtime";
import type { VdbContext } from "../context.ts";
import { desiredConfigMap, type Gate } from "../objects/config-map.ts";
import { applyOwn, isOutcome, type NotApplied } from "./apply-own.ts";

/** Writes the ConfigMap, if it is not so already. Undefined: it is as wanted. */
export async function applyConfigMap(
  ctx: VdbContext,
  { gate, settings }: { readonly gate: Gate; readonly settings: string },
  signal: AbortSignal,
): Promise<NotApplied | undefined> {
  const { vdb, configMap, contentId } = ctx;
  const wanted = desiredConfigMap(vdb, { contentId, gate, settings });
  if (configMap !== undefined && holds(configMap, wanted)) return undefined;
  const written = await applyOwn(ctx, configMaps, wanted, configMap, signal);
  if (isOutcome(written)) return written;
  ctx.configMap = written;
  return undefined;
}

function holds({ data = {} }: ConfigMap, wanted: Manifest<ConfigMap>): boolean {
  return Object.entries(wanted.data ?? {}).every(([key, value]) => data[key] === value);
}
