import { after, done, findCondition, type Pod, retry, terminal, timestamp, waiting } from "kube-runtime";
import type { PreparationResult, ServerState } from "../../postgres/prepare.ts";
import {
  gateSoFar,
  type RunningContext,
  type StoredSettings,
  type VdbContext,
  type VdbFindingStep,
  type VdbOutcome,
  type VdbUnmet,
} from "../context.ts";
import { isCleaned, waitForCleaning } from "../decide/cleaning.ts";
import { modeOf } from "../decide/decide-mode.ts";
import { shortHash } from "../names.ts";
import { Unreachable } from "../pod/ask-pod.ts";
import { configureServer, containerIdOf } from "../pod/configure-server.ts";
import { databasesNotes, switchedOff } from "../pod/databases-notes.ts";
import { hygieneOf } from "../pod/hygiene.ts";
import { lockedOut, loginTrouble } from "../pod/login-trouble.ts";
import { preparedTransactionsNote } from "../pod/prepared-transactions.ts";
import { applyConfigMap } from "./apply-config-map.ts";
import { restartDeployment, restartedFor } from "./apply-deployment.ts";
import { isOutcome } from "./apply-own.ts";
import { applyService } from "./apply-service.ts";
import { recordContent } from "./record-content.ts";

/**
 * Prepared: the settings and the role's password are in force in the running server, role and database exist; settings that it
 * has taken are kept for its next start. Nothing of the source acts in new data any more.
 * Returns early with what the data has when it has not what the manifest names, and while a setting waits for a restart.
 */
export const prepareDatabase: VdbFindingStep<"Prepared", Pick<StoredSettings, "configMap">, RunningContext> = {
  name: "prepareDatabase",
  condition: "Prepared",
  run: async (ctx, signal) => {
    const { pod, gate } = ctx;
    try {
      const result = await configureServer(ctx, gate, signal);
      tellHygiene(ctx, result === "inForce" ? undefined : result);
      if (result !== "inForce" && result.kind !== "answer") return refusal(ctx, result);
      const configMap = await applyConfigMap(ctx, { gate: gateSoFar(ctx), settings: ctx.settings }, signal);
      if (isOutcome(configMap)) return configMap;
      const compared = result === "inForce" ? asBefore(ctx) : await compare(ctx, result.state, signal);
      const outcome = compared.kind === "done" ? (recordCleaning(ctx) ?? compared) : compared;
      return outcome.kind === "done" ? { ...outcome, found: { configMap } } : outcome;
    } catch (error) {
      return unasked(pod, error);
    }
  },
};

/** Nothing was asked: what the last answer gave to say is still so. */
function asBefore({ vdb }: VdbContext): VdbOutcome<"Prepared"> {
  const { status, message = "" } = findCondition(vdb.status.conditions, "Prepared") ?? {};
  return status === "True" ? done({ message }) : done();
}

/** Not repeated once hooks or clients may have made things of their own: a repetition would switch those off too. */
function recordCleaning(ctx: RunningContext): VdbUnmet<"Prepared"> | undefined {
  const { run, vdb } = ctx;
  if (isCleaned(run.status.content)) return undefined;
  recordContent(ctx, { cleanedTime: timestamp(run.clock.now()) });
  if (!waitForCleaning(vdb.spec)) return undefined;
  return after(0, "Preparing", "the source's jobs are switched off, and the server gets pg_cron");
}

/** HygieneApplied: what the copy brought along and was left out. Known from the server's last answer, and kept until the next. */
export function tellHygiene({ run, vdb, memory }: VdbContext, result: PreparationResult | undefined): void {
  const type = "HygieneApplied";
  const present = findCondition(vdb.status.conditions, type);
  if (result?.kind !== "answer") {
    if (present !== undefined)
      run.setCondition({ type, status: present.status, reason: present.reason, message: present.message });
    return;
  }
  const { dropped, preparedTransactions } = result.state;
  const { told, unseen } = memory.databases?.found ?? result.state.inside;
  const notes = [preparedTransactionsNote(preparedTransactions), ...databasesNotes(told, unseen)];
  run.setCondition({ type, status: "True", ...hygieneOf(dropped, switchedOff(told, vdb.spec.hygiene), notes) });
}

/** A server that gave no answer is asked again; what is thrown for any other cause is thrown on. */
export function unasked(pod: Pod, error: unknown): VdbUnmet<"Prepared"> {
  if (!(error instanceof Unreachable)) throw error;
  return retry("Unreachable", `cannot ask the server in pod ${pod.metadata.name}: ${error.message}`);
}

export function refusal(ctx: VdbContext, result: Exclude<PreparationResult, { kind: "answer" }>): VdbUnmet<"Prepared"> {
  const { kind, message } = result;
  switch (kind) {
    case "settingRefused":
      return terminal(
        "SettingRefused",
        `PostgreSQL refuses a setting, and the earlier settings stay in force: ${message}; fix spec.postgresConfig`,
        { backOff: true },
      );
    case "lockedOut": {
      const { reason, message: told } = lockedOut(ctx.vdb, message, result.roles);
      return terminal(reason, told, { backOff: true });
    }
    case "sqlFailed":
      return retry("SqlFailed", `the server refuses a statement: ${message}`);
    case "unreachable":
      return retry("Unreachable", `the server does not let the operator in: ${message}`);
    default:
      return result satisfies never;
  }
}

async function compare(ctx: RunningContext, state: ServerState, signal: AbortSignal): Promise<VdbOutcome<"Prepared">> {
  if (modeOf(ctx.pod.metadata) === "Standby" && !state.isStandby) return await holdStandby(ctx, signal);
  const waits = state.needsWriting && ctx.course === "asItRuns" && ctx.wasOpened;
  if (state.needsWriting && !waits) return await prepareAgain(ctx, signal);
  const trouble = loginTrouble(ctx.vdb, state);
  if (trouble !== undefined) return terminal(trouble.reason, trouble.message, { backOff: true });
  if (!state.loaded) return after(0.3, "Preparing", "the server has not read its settings yet");
  const { pendingRestart } = state;
  if (pendingRestart.length > 0 && ctx.course !== "asItRuns") return await restart(ctx, pendingRestart, signal);
  const notes = [...(waits ? [waitingPassword] : []), ...deferred(pendingRestart), ...notesOf(state)];
  return notes.length === 0 ? done() : done({ message: [inForce, ...notes].join("; ") });
}

/** Settings that a user has set in the database itself and that are not in force. */
function notesOf({ pendingElsewhere, setAside }: ServerState): readonly string[] {
  const unread = `these settings, set in the database itself, wait for a restart: ${pendingElsewhere.join(", ")}`;
  const aside = `PostgreSQL did not start with the settings of ALTER SYSTEM, which the start script set aside in postgresql.auto.conf.refused: ${setAside}`;
  return [...(pendingElsewhere.length > 0 ? [unread] : []), ...(setAside === "" ? [] : [aside])];
}

/** An action may wait for Ready, so that the database must not wait for its end. */
const deferred = (names: readonly string[]): readonly string[] =>
  names.length === 0 ? [] : [`these settings wait for a restart until the action on the database has ended: ${names.join(", ")}`];

const waitingPassword = "the password waits for a restart until the action on the database has ended";

const inForce = "settings and password are in force";

/**
 * For a setting that PostgreSQL reads only at its start: replaces the pod, once for these settings in this container. A container
 * that started with earlier settings, because the kubelet had not seen the new ones yet, counts as another.
 */
async function restart(ctx: RunningContext, names: readonly string[], signal: AbortSignal): Promise<VdbOutcome<"Prepared">> {
  const restartFor = shortHash(JSON.stringify([ctx.settings, containerIdOf(ctx.pod)]));
  const written = await restartDeployment(ctx, signal, { restartFor });
  if (isOutcome(written)) return written;
  if (restartedFor(ctx) !== restartFor)
    ctx.run.event("Normal", "Restarting", `these settings need a restart: ${names.join(", ")}`);
  return waiting("Preparing", `the operator restarts the server for ${names.join(", ")}`);
}

/**
 * A Standby lacks what can only be written: its server starts as one that can be written to, and as a Standby when it has that.
 * Nobody is led to it from before that until after it.
 */
async function prepareAgain(ctx: RunningContext, signal: AbortSignal): Promise<VdbOutcome<"Prepared">> {
  const unserved = await applyService(ctx, "shut", signal);
  if (unserved !== undefined) return unserved;
  const written = await restartDeployment(ctx, signal, { mode: ctx.wasOpened ? "Preparing" : "Primary" });
  if (isOutcome(written)) return written;
  const message = "the password of the role needs a server that can be written to: behind the shut gate, then read-only again";
  ctx.run.event("Normal", "Restarting", message);
  return waiting("Preparing", message);
}

/** Somebody has promoted it: the server starts again, read-only. */
async function holdStandby(ctx: RunningContext, signal: AbortSignal): Promise<VdbOutcome<"Prepared">> {
  const unserved = await applyService(ctx, "shut", signal);
  if (unserved !== undefined) return unserved;
  const restartFor = shortHash(`promoted ${containerIdOf(ctx.pod)}`);
  const written = await restartDeployment(ctx, signal, { restartFor, mode: "Standby" });
  if (isOutcome(written)) return written;
  const message = "somebody has promoted the Standby: its server starts again, read-only";
  ctx.run.event("Warning", "Restarting", message);
  return waiting("Preparing", message);
}
