import type { Draft, ObjectWithStatus } from "../objects/object.ts";
import { timestamp } from "../support/clock.ts";
import { together } from "../support/together.ts";
import type { Run, Step } from "./kind.ts";
import { after, done, type Outcome, type Unmet } from "./outcome.ts";

/**
 * One step with an effect outside of this object: a job elsewhere, another object. Names are unique in a journal and never
 * change: records are found by them. What a step needs to know again after a restart is in its intent, or can be asked for.
 */
export interface JournalStep<Ctx> {
  readonly name: string;
  /** What the phase is while this is the first step that is not done. */
  readonly phase: string;
  /** By what the effect will be known: a name made from the object's uid, or what is there before it. Changes nothing. */
  readonly intend: (ctx: Ctx, signal: AbortSignal) => string | Promise<string>;
  /** Searches for the effect of this intent; undefined: there is none. Throws when nobody answers, so that it is not begun twice. */
  readonly look: (ctx: Ctx, intent: string, signal: AbortSignal) => Promise<string | undefined>;
  /** Set by `beginsNothing`. */
  readonly begins?: "nothing";
  /** Whether its intent may be written with what follows: for a step that begins nothing, and after whose loss `end` finds all again. */
  readonly isQuiet?: (ctx: Ctx) => boolean;
  /** What `end` comes to first, as a rule: the conditions tell it with the intent, in one write. */
  readonly awaits?: (ctx: Ctx) => Unmet | undefined;
  /** What it does first beside the write of its intent, to save time: what may be found done though nothing tells of it. */
  readonly beside?: (ctx: Ctx, signal: AbortSignal) => Promise<void>;
  /** What has to be there before it begins, and may be waited for with the intent already stored. Undefined: nothing more. */
  readonly lacks?: (ctx: Ctx) => Unmet | undefined;
  /** Has the effect, and gives what it is known by from now on. */
  readonly begin: (ctx: Ctx, intent: string, signal: AbortSignal) => Promise<string>;
  /** Looks how far the effect is. Called until it is done, and once more when that could not be written. */
  readonly end: (ctx: Ctx, effect: string, signal: AbortSignal) => Promise<Outcome>;
  /** Takes the effect back, whether it has come to its end or not. Left out: there is nothing to take back. */
  readonly undo?: (ctx: Ctx, effect: string, signal: AbortSignal) => Promise<Outcome>;
}

/**
 * For a step that begins nothing: it only waits, or whatever it does may be repeated and is found by other means. Its intent is its
 * effect, and both are one write.
 */
export const beginsNothing = {
  begins: "nothing",
  look: async (_: unknown, intent: string): Promise<string> => await Promise.resolve(intent),
  begin: async (_: unknown, intent: string): Promise<string> => await Promise.resolve(intent),
} as const;

/** What is recorded of a step, in `status.steps`. Times are of the wall clock, for people. */
export interface JournalEntry {
  readonly name: string;
  readonly phase?: string;
  readonly startTime?: string;
  readonly intent?: string;
  readonly effect?: string;
  readonly completionTime?: string;
  readonly undoneTime?: string;
  readonly message?: string;
}

export interface Journalled extends ObjectWithStatus {
  readonly status?: NonNullable<ObjectWithStatus["status"]> & { readonly steps?: readonly JournalEntry[] };
}
export type JournalRun = Pick<Run<Journalled>, "status" | "clock" | "marks" | "saveStatus">;

export interface JournalOptions<Ctx> {
  readonly runOf: (ctx: Ctx) => JournalRun;
  /** For so long a request that was sent, and not answered, may still have its effect. */
  readonly requestTimeoutSeconds: number;
  /** Whether this error of `begin` proves that there is no effect, nor will be: a refusal. Otherwise it is searched for first. */
  readonly provesNoEffect?: (error: unknown) => boolean;
}

export interface Journal<Ctx> {
  readonly steps: readonly Step<Ctx>[];
  /** Takes back what has been begun, the last first. No step of `steps` may run from the first of these on. */
  readonly undoSteps: readonly Step<Ctx>[];
}

/**
 * Steps that are recorded around their effects, so that each effect is had once, whatever fails or dies in between.
 *
 * Expected flow: the first step's intent is written; `begin`; `end` until it is done; its end and the next step's intent are
 * one write. The last step's end is written with the status that tells the end.
 * Guarantees: no effect without a stored intent, but for what `beside` does. An intent that another process left, or whose `begin` failed, is looked for;
 * `begin` comes again only when `look` finds nothing and what was sent before can no longer arrive, by this process' own clock.
 * Phases go forward: see `journalPhase`.
 * Assumption: calls to the outside pass the leader's fence, so that nobody but the leader begins anything.
 */
export function createJournal<Ctx>(steps: readonly JournalStep<Ctx>[], options: JournalOptions<Ctx>): Journal<Ctx> {
  return {
    steps: steps.map((step, at) => ({
      name: step.name,
      run: (ctx, signal) => forward({ step, next: steps[at + 1], options, ctx, run: options.runOf(ctx) }, signal),
    })),
    undoSteps: steps.toReversed().map((step) => ({
      name: `undo ${step.name}`,
      run: (ctx, signal) => backward({ step, next: undefined, options, ctx, run: options.runOf(ctx) }, signal),
    })),
  };
}

/** That of the first step that is not done; undefined before the first has begun. Nothing else moves it, least of all an outage. */
export function journalPhase(entries: readonly JournalEntry[] | undefined = []): string | undefined {
  return (entries.find(({ completionTime }) => completionTime === undefined) ?? entries.at(-1))?.phase;
}

/** One step in one run. */
interface Turn<Ctx> {
  readonly step: JournalStep<Ctx>;
  readonly next: JournalStep<Ctx> | undefined;
  readonly options: JournalOptions<Ctx>;
  readonly ctx: Ctx;
  readonly run: JournalRun;
}

async function forward<Ctx>(turn: Turn<Ctx>, signal: AbortSignal): Promise<Outcome> {
  const { step, ctx, run } = turn;
  const present = entryOf(turn);
  if (present?.completionTime !== undefined) return done();
  const entry = present ?? (await announced(run, step, ctx, await step.intend(ctx, signal), signal));
  const effect = entry.effect ?? (await haveEffect(turn, entry, signal));
  if (typeof effect !== "string") return effect;
  entry.effect = effect;
  const outcome = await step.end(ctx, effect, signal);
  if (outcome.message !== undefined) entry.message = outcome.message;
  if (outcome.kind === "done") await complete(turn, entry, signal);
  return outcome;
}

async function backward<Ctx>(turn: Turn<Ctx>, signal: AbortSignal): Promise<Outcome> {
  const { step, ctx, run } = turn;
  const entry = entryOf(turn);
  if (entry === undefined || entry.undoneTime !== undefined) return done();
  const effect = entry.effect ?? (await search(turn, entry, signal));
  if (typeof effect === "object") return effect;
  const outcome = effect === undefined || step.undo === undefined ? done() : await step.undo(ctx, effect, signal);
  if (outcome.message !== undefined) entry.message = outcome.message;
  if (outcome.kind !== "done") return outcome;
  entry.undoneTime = notBefore(entry.startTime, run.clock.now());
  await run.saveStatus(signal);
  return outcome;
}

type Entry = Draft<JournalEntry>;

const entryOf = <Ctx>({ step, run }: Turn<Ctx>): Entry | undefined => run.status.steps?.find(({ name }) => name === step.name);

/** A mark: nobody can have begun this step, for its intent was written by this process, which has not. */
const untouched = -Infinity;
const markOf = ({ name }: { readonly name: string }): string => `journal ${name}`;

/** Has the intent stored, and tells what the step comes to. */
async function announced<Ctx>(
  run: JournalRun,
  step: JournalStep<Ctx>,
  ctx: Ctx,
  intent: string,
  signal: AbortSignal,
): Promise<Entry> {
  // A status that nobody has reported on would show work without a condition.
  const isUntold = (run.status.conditions ?? []).length === 0;
  const awaited = step.awaits?.(ctx);
  const comesTo = awaited ?? (isUntold ? after(0, "Pending", "it is about to begin") : undefined);
  const isQuiet = step.isQuiet?.(ctx) === true;
  const entry = announce(run, step, intent);
  if (awaited !== undefined) entry.message = awaited.message;
  if (!isQuiet) await run.saveStatus(signal, comesTo);
  return entry;
}

/** Puts the intent into the draft: from the next write on it is stored. */
function announce({ status, clock, marks }: JournalRun, step: JournalStep<never>, intent: string): Entry {
  const entry: Entry = {
    name: step.name,
    phase: step.phase,
    startTime: timestamp(clock.now()),
    intent,
    ...(step.begins === "nothing" ? { effect: intent } : {}),
  };
  status.steps = [...(status.steps ?? []), entry];
  marks.set(markOf(step), untouched);
  return entry;
}

/** The end of one step and the intent of the next in one write: nobody sees a moment between two phases. */
async function complete<Ctx>({ next, step, ctx, run }: Turn<Ctx>, entry: Entry, signal: AbortSignal): Promise<void> {
  const intent = await next?.intend(ctx, signal);
  entry.completionTime = notBefore(entry.startTime, run.clock.now());
  run.marks.delete(markOf(step));
  if (next === undefined || intent === undefined) return;
  await together(announced(run, next, ctx, intent, signal), next.beside?.(ctx, signal));
}

/** Finds the effect or begins it. An outcome: neither yet. */
async function haveEffect<Ctx>(turn: Turn<Ctx>, entry: Entry, signal: AbortSignal): Promise<string | Unmet> {
  const { step, ctx, options, run } = turn;
  const found = await search(turn, entry, signal);
  if (found !== undefined) return found;
  const lacking = step.lacks?.(ctx);
  if (lacking !== undefined) return lacking;
  const mark = markOf(step);
  try {
    const effect = await step.begin(ctx, entry.intent ?? "", signal);
    run.marks.set(mark, run.clock.monotonic());
    return effect;
  } catch (error) {
    run.marks.set(mark, options.provesNoEffect?.(error) === true ? untouched : run.clock.monotonic());
    throw error;
  }
}

/** The effect, if there is one; undefined once none can come any more; until that is sure, an outcome. */
async function search<Ctx>(
  { step, ctx, options, run: { marks, clock } }: Turn<Ctx>,
  { intent = "" }: Entry,
  signal: AbortSignal,
): Promise<string | Unmet | undefined> {
  const mark = markOf(step);
  const nowMs = clock.monotonic();
  const sinceMs = marks.get(mark) ?? nowMs; // left by another process: whatever it sent, it sent before
  if (sinceMs === untouched) return undefined;
  marks.set(mark, sinceMs);
  const effect = await step.look(ctx, intent, signal);
  const leftMs = sinceMs + options.requestTimeoutSeconds * 1000 - nowMs;
  if (effect !== undefined || leftMs <= 0) return effect;
  return after(leftMs / 1000, "Retrying", `whether ${step.name} was begun is not sure yet: its effect is looked for again`);
}

/** The wall clock may be set back: an end is never shown before its start. */
const notBefore = (startTime: string | undefined, nowMs: number): string =>
  timestamp(Math.max(nowMs, startTime === undefined ? nowMs : Date.parse(startTime)));
