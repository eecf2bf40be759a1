import type { ActionRun } from "@vdb/api";
import { after, done, type Outcome, type Pod, retry, type Unmet, waiting } from "kube-runtime";
import { endHookCommand, type HookCall, type HookState, hookCommand, hookOutputBytes, hookState } from "../../postgres/hook.ts";
import { redactedEnd } from "../../postgres/redact.ts";
import { paths } from "../../vdb/objects/deployment.ts";
import { readPassword } from "../../vdb/password.ts";
import { askPod, Unreachable } from "../../vdb/pod/ask-pod.ts";
import { type ActionContext, nameOfTarget, podsOf, vdbOf } from "../context.ts";
import { answeringPod } from "../database.ts";

/** SQL or a command that an action has run in its database's pod, once. */
export interface Text extends Pick<HookCall, "type" | "script" | "timeoutSeconds" | "outputBytes" | "asWritten"> {
  /** Unique within the action: `attempt-1`, `pre-snapshot/flush`. Its record is found by it. */
  readonly name: string;
  /** How long one call waits for its end; 2. */
  readonly waitSeconds?: number;
  /** Undefined: that of the manifest. */
  readonly database: string | undefined;
}

/** How a text ended. `output`: what it printed, with the password redacted; undefined when its end was recorded before this run. */
export interface Ended {
  readonly record: ActionRun;
  readonly output: string | undefined;
}

/** One call waits so long for the end, and the next one comes so much later: other actions want the workers too. */
const patienceSeconds = 2;
const pauseSeconds = 1;

/**
 * Runs a text in the pod, or waits for the end of one that has begun. The record is written before it begins; the token in the
 * pod keeps it from running twice there, and the record from running again in another pod.
 */
export async function runText(ctx: ActionContext, text: Text, signal: AbortSignal): Promise<Ended | Unmet> {
  const known = recordOf(ctx, text.name);
  if (known !== undefined && known.outcome !== "Running") return { record: known, output: undefined };
  const vdb = vdbOf(ctx);
  const pod =
    vdb && (known === undefined ? answeringPod(ctx, vdb) : podsOf(ctx, vdb).find(({ metadata }) => metadata.uid === known.pod));
  if (vdb === undefined || (pod === undefined && known === undefined))
    return waiting("Running", `${text.name} waits until ${nameOfTarget(ctx)} has a pod that answers`);
  if (pod === undefined) return await settle(ctx, text, { kind: "interrupted", output: "" }, signal);
  if (known === undefined) await announce(ctx, text, pod, signal);
  const {
    type,
    script,
    timeoutSeconds,
    outputBytes,
    asWritten,
    waitSeconds = patienceSeconds,
    database = vdb.spec.database.name,
  } = text;
  const call: HookCall = {
    token: tokenOf(ctx, text.name),
    type,
    script,
    database,
    timeoutSeconds,
    waitSeconds,
    ...(outputBytes === undefined ? {} : { outputBytes }),
    ...(asWritten === undefined ? {} : { asWritten }),
  };
  try {
    const state = hookState(await askPod(ctx.world, pod, hookCommand(call, paths.run), signal));
    if (state.kind === "running") return after(pauseSeconds, "Running", `${text.name} is running`);
    return await settle(ctx, text, state, signal);
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return retry("Running", `${text.name} was begun, but the pod could not be asked for its end: ${error.message}`);
  }
}

/** Ends a text that runs, with its processes and sessions; it does not begin any more. */
export async function endText(ctx: ActionContext, name: string, signal: AbortSignal): Promise<Outcome> {
  const record = recordOf(ctx, name);
  const vdb = vdbOf(ctx);
  if (record?.outcome !== "Running") return done();
  const pod = vdb && podsOf(ctx, vdb).find(({ metadata }) => metadata.uid === record.pod);
  if (pod !== undefined)
    try {
      await askPod(ctx.world, pod, endHookCommand(tokenOf(ctx, name), paths.run), signal);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      return retry("RollingBack", `${name} could not be ended: ${error.message}`);
    }
  setRecord(ctx, { ...record, outcome: "Interrupted", completionTime: now(ctx) });
  return done();
}

/** The intent, before the effect: an operator that comes after us must know that it may have begun. */
async function announce(ctx: ActionContext, { name }: Text, pod: Pod, signal: AbortSignal): Promise<void> {
  setRecord(ctx, { name, pod: pod.metadata.uid, outcome: "Running", startTime: now(ctx) });
  await ctx.run.saveStatus(signal);
}

/** Its end into the draft: it is written with what follows from it. */
async function settle(
  ctx: ActionContext,
  { name, outputBytes = hookOutputBytes }: Text,
  state: Exclude<HookState, { kind: "running" }>,
  signal: AbortSignal,
): Promise<Ended> {
  const output = redactedEnd(state.output, { secrets: await secretsOf(ctx, signal), length: outputBytes, cutAt: outputBytes });
  const { startTime = now(ctx), ...known } = recordOf(ctx, name) ?? { name };
  const ended = { ...known, name, startTime, completionTime: now(ctx), output: output.slice(-keptInRecord) };
  const record: ActionRun =
    state.kind === "interrupted"
      ? { ...ended, outcome: "Interrupted" }
      : { ...ended, outcome: outcomeOf(state), exitCode: state.exitCode };
  setRecord(ctx, record);
  return { record, output };
}

/** Of what a record says; longer output is kept elsewhere. */
const keptInRecord = 1000;

/** A password that was changed meanwhile may be missed; one that cannot be read is none that the database has. */
async function secretsOf(ctx: ActionContext, signal: AbortSignal): Promise<readonly string[]> {
  const vdb = vdbOf(ctx);
  if (vdb === undefined) return [];
  const password = await readPassword(vdb, ctx.run.client, signal);
  return password.kind === "known" ? [password.value] : [];
}

function outcomeOf({ exitCode, timedOut }: { readonly exitCode: number; readonly timedOut: boolean }): ActionRun["outcome"] {
  if (exitCode === 0) return "Succeeded";
  return timedOut ? "TimedOut" : "Failed";
}

export const recordOf = ({ run }: ActionContext, name: string): ActionRun | undefined =>
  run.status.runs?.find((record) => record.name === name);

function setRecord({ run: { status } }: ActionContext, record: ActionRun): void {
  status.runs = [...(status.runs ?? []).filter(({ name }) => name !== record.name), record];
}

const now = ({ run }: ActionContext): string => new Date(run.clock.now()).toISOString();

/** The same text of the same action has the same token. A stage's slash is none of the token's. */
export const tokenOf = ({ action }: ActionContext, name: string): string => `${action.metadata.uid}-${name.replaceAll("/", "-")}`;

export const hasEnded = (answer: Ended | Unmet): answer is Ended => "record" in answer;

/** How a text failed, for people. */
export function failureWords(what: string, record: ActionRun, timeoutSeconds: number): string {
  const { output = "" } = record;
  const how = {
    Running: "has not ended",
    Succeeded: "succeeded",
    TimedOut: `did not end within ${timeoutSeconds} s`,
    Interrupted: "was interrupted when its pod ended, and may have taken effect",
    Failed: `failed with exit code ${record.exitCode ?? "unknown"}`,
  } as const;
  const end = output === "" ? "it printed nothing" : `the end of its output: ${output.slice(-500).trim()}`;
  return `${what} ${how[record.outcome]}; ${end}`;
}
