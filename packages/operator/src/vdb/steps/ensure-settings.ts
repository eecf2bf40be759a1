import { after, type ConfigMap, configMaps, done, findCondition, type Manifest } from "kube-runtime";
import type { VdbContext, VdbStep } from "../context.ts";
import { desiredConfigMap, type Gate, settingsKey } from "../objects/config-map.ts";
import { applyOwn, isOutcome, type NotApplied } from "./apply-own.ts";

/**
 * Configured: the ConfigMap holds the start script, settings and who may connect.
 * Returns early once, when it has just been made.
 */
export const ensureSettings: VdbStep<"Configured"> = {
  name: "ensureSettings",
  condition: "Configured",
  run: async (ctx, signal) => {
    const isNew = ctx.configMap === undefined;
    const settings = settingsToStartWith(ctx);
    ctx.settingsCorrected = !isNew && ctx.configMap?.data?.[settingsKey] !== settings;
    const taken = await applySettings(ctx, { gate: ctx.gate, settings }, signal);
    if (taken !== undefined) return taken;
    // Seen by itself in the documented order of phases, and over in milliseconds.
    return isNew ? after(0, "Configuring", "settings and start script are being put in place") : done();
  },
};

/** Ends of the pod that other settings may mend. */
const mendedBySettings: ReadonlySet<string> = new Set(["SettingRefused", "Crashing"]);

/**
 * New settings are stored only after a running server has taken them (prepareDatabase): a pod that is moved meanwhile would not
 * start with bad ones. With those that are stored it has started before, unless it says otherwise.
 */
function settingsToStartWith({ vdb, configMap, settings }: VdbContext): string {
  const deployed = findCondition(vdb.status.conditions, "Deployed");
  if (deployed?.status === "False" && mendedBySettings.has(deployed.reason)) return settings;
  return configMap?.data?.[settingsKey] ?? settings;
}

/** Writes the ConfigMap, if it is not so already. Undefined: it is as wanted. */
export async function applySettings(
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
