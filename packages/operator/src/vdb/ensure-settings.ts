import { after, type ConfigMap, configMaps, done, isControlledBy, type Manifest, type Step, terminal } from "kube-runtime";
import type { VdbContext } from "./context.ts";
import { operatorName } from "./names.ts";
import { desiredConfigMap, type Gate } from "./objects/config-map.ts";

/**
 * Configured: the ConfigMap holds the start script, the settings and who may connect.
 * Returns early once, when it has just been made.
 */
export const ensureSettings: Step<VdbContext> = {
  name: "ensureSettings",
  condition: "Configured",
  run: async (ctx, signal) => {
    const { vdb, configMap } = ctx;
    if (configMap !== undefined && !isControlledBy(configMap, vdb))
      return terminal(
        "NameTaken",
        `a ConfigMap ${configMap.metadata.name} exists and belongs to somebody else: delete or rename it`,
      );
    await applySettings(ctx, ctx.gate, signal);
    // Seen by itself in the documented order of phases, and over in milliseconds.
    return configMap === undefined ? after(0, "Configuring", "settings and start script are being put in place") : done();
  },
};

/** Writes the ConfigMap with this gate, if it is not so already. */
export async function applySettings(
  { run, vdb, configMap, contentId, settings }: VdbContext,
  gate: Gate,
  signal: AbortSignal,
): Promise<void> {
  const wanted = desiredConfigMap(vdb, { contentId, gate, settings });
  if (configMap !== undefined && holds(configMap, wanted)) return;
  await run.client.apply(configMaps, wanted, { fieldManager: operatorName, force: true }, signal);
}

function holds({ data = {} }: ConfigMap, wanted: Manifest<ConfigMap>): boolean {
  return Object.entries(wanted.data ?? {}).every(([key, value]) => data[key] === value);
}
