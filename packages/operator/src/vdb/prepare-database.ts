import { createHash } from "node:crypto";
import { after, done, findCondition, isApiError, type Outcome, type Step } from "kube-runtime";
import type { PreparationResult, ServerState } from "../postgres/prepare.ts";
import { retrying, stalled, type VdbContext } from "./context.ts";
import { applyDeployment } from "./ensure-deployment.ts";
import { bringIntoForce } from "./in-force.ts";
import { isOutcome } from "./taken.ts";

/**
 * Prepared: the settings and the role's password are in force in the running server, role and database exist.
 * Returns early with what the data has when it has not what the manifest names, and while a setting waits for a restart.
 */
export const prepareDatabase: Step<VdbContext> = {
  name: "prepareDatabase",
  condition: "Prepared",
  run: async (ctx, signal) => {
    if (ctx.pod === undefined) throw new TypeError("ensureDeployment has found no pod");
    try {
      const result = await bringIntoForce(ctx, ctx.pod, ctx.gate, signal);
      tellHygiene(ctx, result === "inForce" ? undefined : result);
      return result === "inForce" ? done() : await judge(ctx, result, signal);
    } catch (error) {
      if (!isApiError(error)) throw error;
      return retrying(ctx, "Unreachable", `the server in pod ${ctx.pod.metadata.name} could not be asked: ${error.message}`);
    }
  },
};

/** HygieneApplied: what the copy brought along and was left out. Known from the server's last answer, and kept until the next. */
function tellHygiene({ run, vdb }: VdbContext, result: PreparationResult | undefined): void {
  const type = "HygieneApplied";
  const present = findCondition(vdb.status.conditions, type);
  if (result?.kind !== "answer") {
    if (present !== undefined)
      run.setCondition({ type, status: present.status, reason: present.reason, message: present.message });
    return;
  }
  const { dropped } = result.state;
  if (dropped.length === 0)
    run.setCondition({ type, status: "True", reason: "Clean", message: "nothing of the source's settings was left out" });
  else
    run.setCondition({
      type,
      status: "True",
      reason: "Adjusted",
      message: `left out of the source's settings: ${dropped.join(", ")}`,
    });
}

async function judge(ctx: VdbContext, result: PreparationResult, signal: AbortSignal): Promise<Outcome> {
  const { user } = ctx.vdb.spec.database;
  switch (result.kind) {
    case "answer":
      return await compare(ctx, result.state, signal);
    case "settingRefused":
      return stalled(
        ctx,
        "SettingRefused",
        `PostgreSQL refuses spec.postgresConfig, the former settings stay in force: ${result.message}`,
      );
    case "noSuchRole":
      return stalled(
        ctx,
        "RoleNotFound",
        `spec.database.user ${user} is no role of the data, and neither is postgres: name one that is`,
      );
    case "sqlFailed":
      return retrying(ctx, "SqlFailed", `the server refused a statement: ${result.message}`);
    case "unreachable":
      return retrying(ctx, "Unreachable", `the server does not let the operator in: ${result.message}`);
    default:
      return result satisfies never;
  }
}

async function compare(ctx: VdbContext, state: ServerState, signal: AbortSignal): Promise<Outcome> {
  const { user, name } = ctx.vdb.spec.database;
  if (!state.roleExists)
    return stalled(ctx, "RoleNotFound", `spec.database.user ${user} is no role of the data; its roles: ${listOf(state.roles)}`);
  if (!state.roleCanLogin)
    return stalled(ctx, "RoleNotFound", `spec.database.user ${user} may not log in; those who may: ${listOf(state.roles)}`);
  if (!state.databases.includes(name))
    return stalled(
      ctx,
      "DatabaseNotFound",
      `spec.database.name ${name} is no database of the data; its databases: ${listOf(state.databases)}`,
    );
  if (!state.loaded) return after(0.3, "Preparing", "the server has not yet read its settings");
  if (state.pendingRestart.length > 0) return await restart(ctx, state.pendingRestart, signal);
  return done();
}

/** A setting that is read at the start alone: the pod is made anew, once for these settings. */
async function restart(ctx: VdbContext, names: readonly string[], signal: AbortSignal): Promise<Outcome> {
  const image = ctx.deployment?.spec.template.spec.containers[0]?.image ?? "";
  const written = await applyDeployment(ctx, image, createHash("sha256").update(ctx.settings).digest("hex").slice(0, 12), signal);
  if (isOutcome(written)) return written;
  ctx.run.event("Normal", "Restarting", `these settings need a restart: ${names.join(", ")}`);
  return after(1, "Preparing", `the server is being restarted for ${names.join(", ")}`);
}

/** Sorted by the server; a message must not grow without end. */
function listOf(names: readonly string[]): string {
  return names.length > 20 ? `${names.slice(0, 20).join(", ")} and ${names.length - 20} more` : names.join(", ");
}
