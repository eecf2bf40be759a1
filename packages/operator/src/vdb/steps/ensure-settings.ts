import { after, done, findCondition, together } from "kube-runtime";
import {
  type AcceptedSpec,
  gateSoFar,
  type StoredSettings,
  type VdbContext,
  type VdbFinding,
  type VdbFindingStep,
} from "../context.ts";
import { isCleaned, linesBeforeCleaning } from "../decide/cleaning.ts";
import { settingsKey } from "../objects/config-map.ts";
import { applyConfigMap } from "./apply-config-map.ts";
import { isOutcome } from "./apply-own.ts";

/**
 * Configured: the ConfigMap holds the start script, settings and who may connect. A new one is announced: in the documented order
 * of phases this one is seen by itself, and is over in milliseconds.
 */
export const ensureSettings: VdbFindingStep<"Configured", StoredSettings, VdbContext & AcceptedSpec> = {
  name: "ensureSettings",
  condition: "Configured",
  run: async (ctx, signal) => {
    if (!announcesSettings(ctx)) return await storeSettings(ctx, signal);
    const announced = ctx.run.saveStatus(signal, after(0, "Configuring", "the operator writes settings and start script"));
    const [stored] = await together(storeSettings(ctx, signal), announced);
    return stored;
  },
};

/** Whether a first ConfigMap is announced: once, for what then keeps it from being made is what the conditions tell. */
export const announcesSettings = ({ configMap, vdb }: VdbContext): boolean =>
  configMap === undefined && findCondition(vdb.status.conditions, "Configured")?.status !== "False";

/** The ConfigMap alone. */
export async function storeSettings(
  ctx: VdbContext & AcceptedSpec,
  signal: AbortSignal,
): Promise<VdbFinding<"Configured", StoredSettings>> {
  const settings = settingsToStartWith(ctx);
  const settingsCorrected = ctx.configMap !== undefined && ctx.configMap.data?.[settingsKey] !== settings;
  const configMap = await applyConfigMap(ctx, { gate: gateSoFar(ctx), settings }, signal);
  return isOutcome(configMap) ? configMap : done({ found: { configMap, settingsCorrected } });
}

/** Failures of the pod that other settings may fix. */
const mendedBySettings: ReadonlySet<string> = new Set(["SettingRefused", "Crashing"]);

/**
 * New settings are stored only after a running server has taken them (prepareDatabase): a pod that is moved meanwhile would not
 * start with bad ones. With those that are stored it has started before, unless it says otherwise; on earlier data, after which new
 * data may have come that would act by them.
 */
function settingsToStartWith({ vdb, run, configMap, settings }: VdbContext & AcceptedSpec): string {
  const deployed = findCondition(vdb.status.conditions, "Deployed");
  if (deployed?.status === "False" && mendedBySettings.has(deployed.reason)) return settings;
  const stored = configMap?.data?.[settingsKey] ?? settings;
  return isCleaned(run.status.content) ? stored : linesBeforeCleaning(stored, vdb.spec.hygiene);
}
