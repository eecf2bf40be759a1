import type { PostgresVDB } from "@vdb/api";
import { after, done, terminal, timestamp, together } from "kube-runtime";
import type { PlainVdbStep, RunningContext, VdbContext, VdbUnmet } from "../context.ts";
import { modeOf, type PodMode } from "../decide/decide-mode.ts";
import { endpointOf } from "../objects/service.ts";
import { configureServer } from "../pod/configure-server.ts";
import { loginTrouble } from "../pod/login-trouble.ts";
import { applyConfigMap } from "./apply-config-map.ts";
import { isOutcome } from "./apply-own.ts";
import { applyService } from "./apply-service.ts";
import { refusal, tellHygiene, unasked } from "./prepare-database.ts";
import { recordContent } from "./record-content.ts";
import { pendingHooks } from "./run-hooks.ts";

/** A Secret is read by name, never watched: this is how late a changed password comes into force. */
const passwordRereadSeconds = 30;

/**
 * Lets clients in: recorded first, then the running server, then the Service, and beside it what a pod starts by, for clients wait.
 * From then on a look every half minute sees a changed password.
 */
export const openGate: PlainVdbStep<RunningContext> = {
  name: "openGate",
  run: async (ctx, signal) => {
    const { vdb, run } = ctx;
    const mode = modeOf(ctx.pod.metadata);
    const shutOut = await lookAgain(ctx, signal);
    if (shutOut !== undefined) return shutOut;
    await recordOpening(ctx, signal);
    const unopened = await openServer(ctx, signal);
    if (unopened !== undefined) return unopened;
    const [refused, configMap] = await together(
      applyService(ctx, "open", signal),
      applyConfigMap(ctx, { gate: "open", settings: ctx.settings }, signal),
    );
    if (refused !== undefined) return refused;
    if (isOutcome(configMap)) return configMap;
    run.status.endpoint = endpointOf(vdb);
    return done({ message: readyWords(run.status, mode), recheckSeconds: passwordRereadSeconds });
  },
};

/**
 * Hooks may have changed role, database and settings: the operator looks again before it admits clients. A Standby was looked at
 * before it became one: in its own container nothing can have changed since.
 */
export async function lookAgain(ctx: RunningContext, signal: AbortSignal): Promise<VdbUnmet<"Prepared"> | undefined> {
  if (ctx.gate === "open" || pendingHooks(ctx).length === 0 || modeOf(ctx.pod.metadata) === "Standby") return undefined;
  ctx.memory.inForce = undefined;
  ctx.memory.databases = undefined;
  try {
    const result = await configureServer(ctx, "shut", signal);
    if (result === "inForce") return undefined;
    tellHygiene(ctx, result);
    if (result.kind !== "answer") return refusal(ctx, result);
    const trouble = loginTrouble(ctx.vdb, result.state);
    return trouble && terminal(trouble.reason, `after the hooks: ${trouble.message}`, { backOff: true });
  } catch (error) {
    return unasked(ctx.pod, error);
  }
}

/** What every user of the database asks first: where it is, and how old its data is. */
export function readyWords(
  { endpoint = "", dataTimestamp }: Pick<PostgresVDB["status"], "endpoint" | "dataTimestamp">,
  mode: PodMode = "Primary",
): string {
  const age = dataTimestamp === undefined ? "" : `, with the source's data as of ${dataTimestamp}`;
  return `clients can connect to ${endpoint}${mode === "Standby" ? ", read-only" : ""}${age}`;
}

/** From here on no operator runs the hooks of this content again. */
async function recordOpening(ctx: VdbContext, signal: AbortSignal): Promise<void> {
  const { run } = ctx;
  if (run.status.content?.openedTime !== undefined) return;
  recordContent(ctx, { openedTime: timestamp(run.clock.now()) });
  await run.saveStatus(signal);
}

async function openServer(ctx: RunningContext, signal: AbortSignal): Promise<VdbUnmet<"Prepared"> | undefined> {
  try {
    const result = await configureServer(ctx, "open", signal);
    if (result === "inForce" || (result.kind === "answer" && result.state.loaded)) return undefined;
    return result.kind === "answer" ? after(0.3, "Preparing", "the server does not let clients in yet") : refusal(ctx, result);
  } catch (error) {
    return unasked(ctx.pod, error);
  }
}
