import { isSwitchedOn, type PostgresSnapshot, type SessionScript } from "@vdb/api";
import { beginsNothing, done, type Outcome, type Pod, retry, terminal, type Unmet } from "kube-runtime";
import { ActionFailed } from "../../data/action-failed.ts";
import { backupSession, positionIn, signals } from "../../postgres/backup-session.ts";
import { paths } from "../../vdb/objects/deployment.ts";
import { askPod, Unreachable } from "../../vdb/pod/ask-pod.ts";
import { type ActionContext, podsOf, vdbOf } from "../context.ts";
import { answeringPod } from "../database.ts";
import type { ActionStep } from "../step.ts";
import { type Ended, endText, failureWords, hasEnded, recordOf, runText, type Text, tokenOf } from "./run-text.ts";
import { discardSnapshot, effectIn } from "./snapshot.ts";

type BackupContext = ActionContext<PostgresSnapshot>;

const session = "backup-session";
const outputBytes = 65_536;
/** One call in the pod waits so long for a signal. */
const waitSeconds = 2;

/**
 * Runs the action's own command, if its preSnapshot is one, and then begins the backup in a session that lives in the pod: it goes
 * on while the operator is away. Done when PostgreSQL says that the backup has begun. Of a stopped database there is none: its
 * snapshot is a cold one.
 */
export const beginBackup: ActionStep<BackupContext> = {
  name: "begin-backup",
  intend: async (ctx, signal) => {
    const pod = podOf(ctx);
    return pod === undefined ? "none: the database is stopped" : `a session of major version ${await majorIn(ctx, pod, signal)}`;
  },
  ...beginsNothing, // the session is found again by its record and token
  end: async (ctx, effect, signal) => {
    if (isCold(effect)) return done({ message: "the database is stopped: no backup session is needed" });
    const failed = await runBeside(ctx, "preSnapshot", signal);
    if (failed !== undefined) return failed;
    const text = sessionText(ctx, effect);
    const answer = await runText(ctx, text, signal);
    if (hasEnded(answer)) return terminal("ScriptFailed", failureWords("the backup session", answer.record, text.timeoutSeconds));
    return answer.kind === "after" && (await hasBegun(ctx, signal)) ? done() : answer;
  },
  // The post step always runs: backup mode and session end as they would after a snapshot.
  undo: async (ctx, effect, signal) => {
    if (isCold(effect) || recordOf(ctx, session)?.outcome !== "Running") return done();
    if (!(await hasBegun(ctx, signal))) return await endText(ctx, session, signal);
    const answer = await finish(ctx, effect, signal);
    return hasEnded(answer) ? done() : answer;
  },
};

/** Ends the backup, with the SQL after it in the same session. One that was lost costs the snapshot: its position is unknown. */
export const endBackup: ActionStep<BackupContext> = {
  name: "end-backup",
  intend: ({ run }) => run.status.steps?.find(({ name }) => name === beginBackup.name)?.effect ?? "",
  ...beginsNothing,
  end: async (ctx, effect, signal) => {
    if (isCold(effect)) return done();
    const answer = await finish(ctx, effect, signal);
    if (!hasEnded(answer)) return answer;
    const position = positionIn(answer.output ?? answer.record.output ?? "");
    if (position === undefined) return lost(ctx, answer);
    if (ctx.action.spec.captureLSN) ctx.run.status.lsn = position;
    return done();
  },
  abandon: async (ctx, effect, signal) => {
    const snapshot = effectIn(ctx);
    return isCold(effect) || snapshot === undefined ? done() : await discardSnapshot(ctx, snapshot, signal);
  },
};

/** What comes after the backup: the action's own command; SQL has run in the session. Where one fails, the snapshot stays. */
export const afterBackup: ActionStep<BackupContext> = {
  name: "after-backup",
  intend: () => "runs spec.postSnapshot where it is a command",
  ...beginsNothing,
  end: async (ctx, _, signal) => {
    const record = recordOf(ctx, session);
    if (record !== undefined && record.outcome !== "Succeeded")
      return terminal(
        "ScriptFailed",
        `${failureWords("the SQL after the snapshot", record, timeoutOf(ctx))}; the snapshot is kept`,
      );
    return (await runBeside(ctx, "postSnapshot", signal)) ?? done();
  },
  abandon: async (ctx, _, signal) => await endText(ctx, "postSnapshot", signal),
};

/** Translated, where the SQL calls the backup as another version does. */
export function tellTranslation(ctx: BackupContext, replaced: readonly string[]): void {
  if (replaced.length === 0) return;
  ctx.run.setCondition({ type: "Translated", status: "True", reason: "Translated", message: `replaced ${replaced.join("; ")}` });
}

const isCold = (effect: string): boolean => effect.startsWith("none");

function podOf(ctx: BackupContext): Pod | undefined {
  const vdb = vdbOf(ctx);
  const pod = vdb && answeringPod(ctx, vdb);
  if (pod === undefined && vdb !== undefined && isSwitchedOn(vdb))
    throw new ActionFailed("VdbNotReady", "its server does not answer");
  return pod;
}

/** The session may last as long as the action: the snapshot is waited for in it. */
const timeoutOf = ({ action }: BackupContext): number => Math.min(action.spec.deadlineSeconds, 86_400);

function sessionText(ctx: BackupContext, effect: string): Text {
  const { preSnapshot, postSnapshot, autoCheckpoint } = ctx.action.spec;
  const { script, replaced } = backupSession({
    label: ctx.action.metadata.name,
    major: Number(/[\d.]+$/u.exec(effect)?.[0] ?? 16),
    fast: autoCheckpoint,
    pre: sqlOf(preSnapshot),
    post: sqlOf(postSnapshot),
    folder: folderOf(ctx),
  });
  tellTranslation(ctx, replaced);
  return {
    name: session,
    type: "sql",
    script,
    database: undefined,
    timeoutSeconds: timeoutOf(ctx),
    outputBytes,
    asWritten: true,
    waitSeconds: 0,
  };
}

const sqlOf = (script: SessionScript | undefined): string | undefined => (script?.type === "sql" ? script.content : undefined);
const folderOf = (ctx: BackupContext): string => `${paths.run}/hooks/${tokenOf(ctx, session)}`;

/** The action's own script where it is a command, beside the session. Undefined: it has succeeded, or there is none. */
async function runBeside(
  ctx: BackupContext,
  field: "preSnapshot" | "postSnapshot",
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const script = ctx.action.spec[field];
  if (script?.type !== "command") return undefined;
  const { type, content, timeoutSeconds } = script;
  const answer = await runText(ctx, { name: field, type, script: content, database: undefined, timeoutSeconds }, signal);
  if (!hasEnded(answer)) return answer;
  if (answer.record.outcome === "Succeeded") return undefined;
  return terminal("ScriptFailed", failureWords(`the command of spec.${field}`, answer.record, timeoutSeconds));
}

/** Lets the session go on to its end, and waits for that. */
async function finish(ctx: BackupContext, effect: string, signal: AbortSignal): Promise<Ended | Unmet> {
  const told = await inPod(ctx, `[ ! -d '${folderOf(ctx)}' ] || : >'${folderOf(ctx)}/${signals.cut}'`, signal);
  if (told === "unreachable") return retry("Running", "the pod could not be asked to end the backup");
  return await runText(ctx, { ...sessionText(ctx, effect), waitSeconds }, signal);
}

/** Taking the step back deletes the snapshot. */
function lost(ctx: BackupContext, { record }: Ended): Outcome {
  const reason = record.outcome === "Interrupted" ? "Interrupted" : "ScriptFailed";
  return terminal(reason, `${failureWords("the backup session", record, timeoutOf(ctx))}; the snapshot is deleted`);
}

async function hasBegun(ctx: BackupContext, signal: AbortSignal): Promise<boolean> {
  const [folder, tenths] = [folderOf(ctx), waitSeconds * 10];
  const wait = `n=0; until [ -e '${folder}/${signals.begun}' ] || [ -e '${folder}/exit' ] || [ $n -ge ${tenths} ]; do n=$((n + 1)); sleep 0.1; done`;
  return (await inPod(ctx, `${wait}; [ -e '${folder}/${signals.begun}' ]`, signal)) === "yes";
}

async function majorIn(ctx: BackupContext, pod: Pod, signal: AbortSignal): Promise<string> {
  const command = ["/bin/sh", "-c", 'cat "$PGDATA/PG_VERSION"'];
  const { stdout } = await askPod(ctx.world, pod, { command }, signal);
  return stdout.trim();
}

async function inPod(ctx: BackupContext, script: string, signal: AbortSignal): Promise<"yes" | "no" | "unreachable"> {
  const vdb = vdbOf(ctx);
  const uid = recordOf(ctx, session)?.pod;
  const pod = vdb && podsOf(ctx, vdb).find(({ metadata }) => metadata.uid === uid);
  if (pod === undefined) return "no"; // the session has gone with it: runText tells
  try {
    return (await askPod(ctx.world, pod, { command: ["/bin/sh", "-c", script] }, signal)).exitCode === 0 ? "yes" : "no";
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return "unreachable";
  }
}
