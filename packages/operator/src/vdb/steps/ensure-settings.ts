import { after, done, findCondition } from "kube-runtime";
import type { AcceptedSpec, StoredSettings, VdbContext, VdbFindingStep } from "../context.ts";
import { settingsKey } from "../objects/config-map.ts";
import { applyConfigMap } from "./apply-config-map.ts";
import { isOutcome } from "./apply-own.ts";

/**
 * Configured: the ConfigMap holds the start script, settings and who may connect.
 * Returns early once, when it has just been made.
 */
export const ensureSettings: VdbFindingStep<"Configured", StoredSettings, VdbContext & AcceptedSpec> = {
  name: "ensureSettings",
  condition: "Configured",
  run: async (ctx, signal) => {
    const isNew = ctx.configMap === undefined;
    const settings = settingsToStartWith(ctx);
    const settingsCorrected = !isNew && ctx.configMap?.data?.[settingsKey] !== settings;
    const configMap = await applyConfigMap(ctx, { gate: ctx.gate, settings }, signal);
    if (isOutcome(configMap)) return configMap;
    // Seen by itself in the documented order of phases, and over in milliseconds.
    return isNew
      ? after(0, "Configuring", "the operator writes settings and start script")
      : done({ found: { configMap, settingsCorrected } });
  },
};

/** Failures of the pod that other settings may fix. */
const mendedBySettings: ReadonlySet<string> = new Set(["SettingRefused", "Crashing"]);

/**
 * New settings are stored only after a running server has taken them (prepareDatabase): a pod that is moved meanwhile would not
 * start with bad ones. With those that are stored it has started before, unless it says otherwise.
 */
function settingsToStartWith({ vdb, configMap, settings }: VdbContext & AcceptedSpec): string {
  const deployed = findCondition(vdb.status.conditions, "Deployed");
  if (deployed?.status === "False" && mendedBySettings.has(deployed.reason)) return settings;
  return configMap?.data?.[settingsKey] ?? settings;
}
