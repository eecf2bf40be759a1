import type { Hook, HookRun, HookStage } from "@vdb/api";
import { after, done, retry, terminal } from "kube-runtime";
import { endHookCommand, type HookState, hookCommand, hookOutputBytes, hookState } from "../../postgres/hook.ts";
import { redactedEnd } from "../../postgres/redact.ts";
import type { RunningContext, VdbContext, VdbOutcome, VdbStep } from "../context.ts";
import { decideHook, forsaken, scriptHash } from "../decide/decide-hook.ts";
import { hookStagesFor } from "../decide/hook-stages.ts";
import { paths } from "../objects/deployment.ts";
import { askPod, Unreachable } from "../pod/ask-pod.ts";

/** One call waits so long for a hook's end, and the next one comes so much later: other databases want the workers too. */
const waitSeconds = 2;
const pauseSeconds = 1;
/** After so long a run ends between two hooks, well before its own deadline. */
const runMs = 30_000;

/**
 * HooksSucceeded: every hook of the stages that the present data goes through (post-create, -refresh, -rewind) has run for it,
 * each once; data that was opened is the record that all have.
 * Returns early while one runs, and for good when one fails without continueOnError: the gate stays shut, and a changed hook
 * runs again.
 */
export const runHooks: VdbStep<"HooksSucceeded", RunningContext> = {
  name: "runHooks",
  condition: "HooksSucceeded",
  run: async (ctx, signal) => {
    const ending = await endForsaken(ctx, signal);
    if (ending !== undefined) return ending;
    if (hooksOf(ctx, "post-create").length > 0) warnOfRefresh(ctx);
    const hooks = pendingHooks(ctx);
    if (hooks.length === 0)
      return done({ reason: "NoHooks", message: `the database has no ${stagesOf(ctx).join(" or ")} hooks` });
    if (ctx.wasOpened) return done();
    const end = ctx.run.clock.monotonic() + runMs;
    for (const hook of hooks) {
      if (ctx.run.clock.monotonic() > end) return after(0, "Running", `hook ${hook.name} runs next`);
      const outcome = await runHook(ctx, hook, signal);
      if (outcome !== undefined) return outcome;
    }
    return done();
  },
};

const hooksOf = ({ vdb }: VdbContext, wanted: HookStage): readonly Hook[] =>
  (vdb.spec.hooks ?? []).filter(({ stage }) => stage === wanted);

const stagesOf = ({ vdb }: VdbContext): readonly HookStage[] => hookStagesFor(vdb.status.content, vdb.spec.hooks ?? []);

/** Those that run on the present data before it is opened, in order. */
export const pendingHooks = (ctx: VdbContext): readonly Hook[] => stagesOf(ctx).flatMap((stage) => hooksOf(ctx, stage));

/** Whether the hooks of the present data are history, or all have run as the manifest has them. */
export const hooksDone = (ctx: VdbContext): boolean =>
  ctx.wasOpened ||
  pendingHooks(ctx).every(
    (hook) => decideHook({ hook, record: recordOf(ctx, hook), contentId: ctx.contentId, podUid: "" }).kind === "next",
  );

/** A hook that was changed or removed while it runs is ended before its successor begins or the gate opens. */
async function endForsaken(ctx: RunningContext, signal: AbortSignal): Promise<VdbOutcome<"HooksSucceeded"> | undefined> {
  const facts = { contentId: ctx.contentId, podUid: ctx.pod.metadata.uid };
  for (const record of forsaken(ctx.run.status.hooks ?? [], ctx.vdb.spec.hooks ?? [], facts)) {
    try {
      await askPod(ctx.world, ctx.pod, endHookCommand(tokenOf(ctx, record, record.scriptHash ?? ""), paths.run), signal);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      return retry("Running", `cannot end hook ${record.name}, which the manifest has changed or removed: ${error.message}`);
    }
    setRecord(ctx, { ...record, outcome: "Interrupted", completionTime: now(ctx) });
    await ctx.run.saveStatus(signal);
  }
  return undefined;
}

/** HooksComplete: what masks a new database should mask a refreshed one. */
function warnOfRefresh({ run, vdb }: VdbContext): void {
  const complete = vdb.spec.hooks?.some(({ stage }) => stage === "post-refresh") === true;
  run.setCondition(
    complete
      ? { type: "HooksComplete", status: "True", reason: "Complete", message: "the database has hooks of both stages" }
      : {
          type: "HooksComplete",
          status: "False",
          reason: "PostRefreshMissing",
          message:
            "the database has post-create hooks but no post-refresh hooks: a refresh brings data that no post-create hook has seen",
        },
  );
}

/** Undefined: on to the next one. */
async function runHook(ctx: RunningContext, hook: Hook, signal: AbortSignal): Promise<VdbOutcome<"HooksSucceeded"> | undefined> {
  const facts = { hook, record: recordOf(ctx, hook), contentId: ctx.contentId, podUid: ctx.pod.metadata.uid };
  const plan = decideHook(facts);
  switch (plan.kind) {
    case "next":
      return undefined;
    case "failed":
      return failure(hook, plan.record);
    case "interrupted":
      setRecord(ctx, { ...plan.record, outcome: "Interrupted", completionTime: now(ctx) });
      return await runHook(ctx, hook, signal);
    case "run":
      return await perform(ctx, hook, signal);
    default:
      return plan satisfies never;
  }
}

async function perform(ctx: RunningContext, hook: Hook, signal: AbortSignal): Promise<VdbOutcome<"HooksSucceeded"> | undefined> {
  await announce(ctx, hook, signal);
  const { type, script, timeoutSeconds, database = ctx.vdb.spec.database.name } = hook;
  const call = { token: tokenOf(ctx, hook, scriptHash(hook)), type, script, database, timeoutSeconds, waitSeconds };
  try {
    const answer = await askPod(ctx.world, ctx.pod, hookCommand(call, paths.run), signal);
    return await take(ctx, hook, hookState(answer), signal);
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return retry("Running", `hook ${hook.name} has begun, but the operator cannot ask the pod for its end: ${error.message}`);
  }
}

/** The intent, before the effect: the next operator must know that the hook may have begun. */
async function announce(ctx: RunningContext, hook: Hook, signal: AbortSignal): Promise<void> {
  const record = recordOf(ctx, hook);
  if (record?.outcome === "Running" && record.contentId === ctx.contentId && record.scriptHash === scriptHash(hook)) return;
  setRecord(ctx, {
    stage: hook.stage,
    name: hook.name,
    contentId: ctx.contentId,
    scriptHash: scriptHash(hook),
    pod: ctx.pod.metadata.uid,
    outcome: "Running",
    startTime: now(ctx),
  });
  await ctx.run.saveStatus(signal);
}

async function take(
  ctx: RunningContext,
  hook: Hook,
  state: HookState,
  signal: AbortSignal,
): Promise<VdbOutcome<"HooksSucceeded"> | undefined> {
  const record = recordOf(ctx, hook);
  if (state.kind === "running" || record === undefined) return after(pauseSeconds, "Running", `hook ${hook.name} runs`);
  const output = withoutPassword(ctx, state.output);
  const ended = { ...record, completionTime: now(ctx), output };
  if (state.kind === "interrupted") setRecord(ctx, { ...ended, outcome: "Interrupted" });
  else setRecord(ctx, { ...ended, exitCode: state.exitCode, outcome: outcomeOf(state) });
  await ctx.run.saveStatus(signal);
  const { outcome, exitCode } = recordOf(ctx, hook) ?? {};
  ctx.run.log[outcome === "Succeeded" ? "info" : "warn"]({ hook: hook.name, outcome, exitCode }, "hook ended");
  return await runHook(ctx, hook, signal);
}

function outcomeOf({ exitCode, timedOut }: { readonly exitCode: number; readonly timedOut: boolean }): HookRun["outcome"] {
  if (exitCode === 0) return "Succeeded";
  return timedOut ? "TimedOut" : "Failed";
}

const reasons = { TimedOut: "HookTimedOut", Interrupted: "HookInterrupted", Failed: "HookFailed" } as const;

/** Nothing changes by itself: a person has to fix the hook or create the database again. */
function failure(
  { name, stage, timeoutSeconds }: Hook,
  { outcome, exitCode, output = "" }: HookRun,
): VdbOutcome<"HooksSucceeded"> {
  const end = output === "" ? "it printed nothing" : `the end of its output: ${endOf(output, 500)}`;
  const how = {
    TimedOut: `did not end within ${timeoutSeconds} s`,
    Interrupted: "was interrupted when its pod ended, and may have taken effect in part",
    Failed: `failed with exit code ${exitCode ?? "unknown"}`,
  } as const;
  const kind = outcome === "TimedOut" || outcome === "Interrupted" ? outcome : "Failed";
  return terminal(
    reasons[kind],
    `${stage} hook ${name} ${how[kind]}; ${end}. The gate stays shut: fix the hook, and the operator runs it again`,
    { backOff: true },
  );
}

const recordOf = ({ run }: VdbContext, { stage, name }: Hook): HookRun | undefined =>
  run.status.hooks?.find((one) => one.stage === stage && one.name === name);

function setRecord({ run }: VdbContext, record: HookRun): void {
  const others = (run.status.hooks ?? []).filter(({ stage, name }) => stage !== record.stage || name !== record.name);
  run.status.hooks = [...others, record];
}

const now = ({ run }: VdbContext): string => new Date(run.clock.now()).toISOString();

/** The same hook with the same text on the same data has the same token. */
const tokenOf = ({ contentId }: VdbContext, { stage, name }: Pick<Hook, "stage" | "name">, hash: string): string =>
  `${contentId}-${stage}-${name}-${hash}`;

function withoutPassword({ password }: RunningContext, output: string): string {
  const secrets = password.kind === "known" ? [password.value] : [];
  return redactedEnd(output, { secrets, length: 4000, cutAt: hookOutputBytes });
}

/** No half of a surrogate pair at its start: the API server would not keep it. */
const endOf = (text: string, length: number): string => text.slice(-length).replace(/^[\uDC00-\uDFFF]/u, "");
