import { after, type ConfigMap, configMaps, done, type Manifest, type Outcome, type Step } from "kube-runtime";
import type { VdbContext } from "./context.ts";
import { desiredConfigMap, type Gate } from "./objects/config-map.ts";
import { applyOwn, isOutcome } from "./taken.ts";

/**
 * Configured: the ConfigMap holds the start script, the settings and who may connect.
 * Returns early once, when it has just been made.
 */
export const ensureSettings: Step<VdbContext> = {
  name: "ensureSettings",
  condition: "Configured",
  run: async (ctx, signal) => {
    const taken = await applySettings(ctx, ctx.gate, signal);
    if (taken !== undefined) return taken;
    // Seen by itself in the documented order of phases, and over in milliseconds.
    return ctx.configMap === undefined ? after(0, "Configuring", "settings and start script are being put in place") : done();
  },
};

/** Writes the ConfigMap with this gate, if it is not so already. Undefined: it is as wanted. */
export async function applySettings(ctx: VdbContext, gate: Gate, signal: AbortSignal): Promise<Outcome | undefined> {
  const { vdb, configMap, contentId, settings } = ctx;
  const wanted = desiredConfigMap(vdb, { contentId, gate, settings });
  if (configMap !== undefined && holds(configMap, wanted)) return undefined;
  const written = await applyOwn(ctx, configMaps, wanted, configMap, signal);
  return isOutcome(written) ? written : undefined;
}

function holds({ data = {} }: ConfigMap, wanted: Manifest<ConfigMap>): boolean {
  return Object.entries(wanted.data ?? {}).every(([key, value]) => data[key] === value);
}
