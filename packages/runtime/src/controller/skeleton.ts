import { isApiError } from "../client/api-error.ts";
import type { Client } from "../client/client.ts";
import type { EventRecorder } from "../events/recorder.ts";
import type { ReconcileRequest } from "../manager/manager.ts";
import { type ConditionValue, findCondition } from "../objects/conditions.ts";
import { type Condition, nameOfKey, type ObjectWithStatus } from "../objects/object.ts";
import type { Clock } from "../support/clock.ts";
import { DeadlineError, withDeadline } from "../support/deadline.ts";
import { conditionsOf } from "./conditions-of.ts";
import { addFinalizer, hasFinalizer, removeFinalizer } from "./finalizer.ts";
import type { ControlledKind, Plan, Run, RunResult, Steps } from "./kind.ts";
import { backOffSeconds, defaultBackOff, lookAgainSeconds, noteFailing } from "./look-again.ts";
import { patchesOf } from "./metadata-patches.ts";
import type { ObjectMemories, ObjectMemory } from "./object-memory.ts";
import type { Outcome, Unmet } from "./outcome.ts";
import { caught, type Failure, runSteps, type StepResult } from "./run-steps.ts";
import { createStatusDraft, type StatusDraft } from "./status-draft.ts";
import { readySummary } from "./summary.ts";

export interface SkeletonParts {
  readonly client: Client;
  /** The same, but its writes are known as this controller's own; `client` unless given. */
  readonly statusClient?: Client;
  readonly events: EventRecorder;
  readonly clock: Clock;
  /** Of this kind's controller; they last as long as it does. */
  readonly memories: ObjectMemories;
}

/** What one run came to, for the queue and the metrics. `recheckSeconds`: a look after so long, although nothing may have happened. */
export type SkeletonResult =
  | { readonly kind: "gone" }
  | { readonly kind: "done" | "waiting" | "terminal"; readonly recheckSeconds?: number }
  | { readonly kind: "after"; readonly seconds: number }
  | { readonly kind: "failed"; readonly error: unknown };

/** One run over one object of a kind: the only place where outcomes become conditions, events, log lines and requeues. */
export async function runKind<T extends ObjectWithStatus, Ctx>(
  kind: ControlledKind<T, Ctx>,
  parts: SkeletonParts,
  request: ReconcileRequest<T>,
  signal: AbortSignal,
): Promise<SkeletonResult> {
  const { object } = request;
  const deleting = object?.metadata.deletionTimestamp !== undefined;
  const finalizer = kind.cleanUp?.finalizer;
  const gone = object === undefined || (deleting && (finalizer === undefined || !hasFinalizer(object, finalizer)));
  const finished = object !== undefined && kind.finished?.(object) === true;
  if (gone || (finished && !deleting)) {
    parts.memories.forget(nameOfKey(request.key));
    return { kind: gone ? "gone" : "done" };
  }
  const isHeldFirst = !deleting && finalizer !== undefined && kind.cleanUp?.comesWith !== "firstWrite";
  const held = isHeldFirst ? await addFinalizer(parts.client, kind.resource, object, finalizer, signal) : object;

  const session = openSession(kind, parts, request, held);
  const found = await workThrough(kind, session, deleting, signal);
  if (deleting && finalizer !== undefined && found.outcome.kind === "done") {
    await removeFinalizer(parts.client, kind.resource, withVersion(held, session.status.resourceVersion()), finalizer, signal);
    request.log.info({}, "clean-up is done: finalizer removed");
    return { kind: "gone" };
  }
  const untoldMs = finished ? 0 : await report(kind, session, found, signal);
  return tellingIn(untoldMs, resultOf(found, session));
}

interface Session<T extends ObjectWithStatus, Ctx> {
  readonly run: Run<T>;
  readonly status: StatusDraft<T>;
  /** As stored before this run. */
  readonly before: readonly Condition[];
  readonly extra: Map<string, ConditionValue>;
  readonly memory: ObjectMemory;
  /** How far this run has come. */
  readonly course: Course<Ctx>;
}

interface Course<Ctx> {
  ctx: Ctx | undefined;
  /** Undefined when `observe` threw: nobody knows what this object needs. */
  plan: Plan<Ctx> | undefined;
  readonly results: StepResult[];
  /** Whether conditions were written before the end: what they tell has no event yet. */
  told: boolean;
}

function openSession<T extends ObjectWithStatus, Ctx>(
  kind: ControlledKind<T, Ctx>,
  { client, statusClient = client, events, clock, memories }: SkeletonParts,
  { id, log, key }: ReconcileRequest<T>,
  object: T,
): Session<T, Ctx> {
  const { resource, phase, backOff = defaultBackOff } = kind;
  const memory = memories.of(nameOfKey(key), object.metadata.uid);
  const status = createStatusDraft({ client: statusClient, resource, clock }, object);
  const extra = new Map<string, ConditionValue>();
  const before = object.status?.conditions ?? [];
  const course: Course<Ctx> = { ctx: undefined, plan: undefined, results: [], told: false };
  const patches = patchesOf({ client, resource, object, finalizer: kind.cleanUp?.finalizer, status });
  const run: Run<T> = {
    object,
    status: status.draft,
    id,
    client,
    log,
    clock,
    backOffSeconds: (reason) => backOffSeconds(memory, reason, clock.monotonic(), (failing) => backOff(failing, object)),
    marks: memory.marks,
    saveStatus: async (signal, comesTo) => {
      if (comesTo !== undefined) {
        stamp(kind, session, { ...asIfEnded(course, comesTo), deleting: object.metadata.deletionTimestamp !== undefined });
        course.told = true;
      } else if (phase !== undefined)
        Object.assign(status.draft, { phase: phase(status.draft.conditions ?? [], status.draft, object) }); // it may follow from what is saved
      await patches.addFinalizer(signal);
      await status.save(signal);
      if (comesTo !== undefined) memory.untoldSinceMs = undefined; // a record alone tells nothing
    },
    ...patches,
    setCondition: (condition) => extra.set(condition.type, condition),
    event: (type, reason, message) =>
      events.record(object, { type, reason, message, ...(kind.related === undefined ? {} : { related: kind.related(object) }) }),
  };
  const session = { run, status, before, extra, memory, course };
  return session;
}

/** What a run has found when the step that it is at comes to this. */
function asIfEnded<Ctx>({ ctx, plan, results }: Course<Ctx>, outcome: Unmet): Omit<Found<Ctx>, "deleting"> {
  const step = plan?.steps[results.length];
  return { ctx, plan, results: step === undefined ? results : [...results, { step, outcome }], outcome };
}

interface Found<Ctx> {
  readonly ctx: Ctx | undefined;
  readonly plan: Plan<Ctx> | undefined;
  readonly results: readonly StepResult[];
  readonly outcome: Outcome | Failure;
  readonly deleting: boolean;
}

/** Observes, then runs the steps that this object needs. */
async function workThrough<T extends ObjectWithStatus, Ctx>(
  kind: ControlledKind<T, Ctx>,
  { run, course }: Session<T, Ctx>,
  deleting: boolean,
  signal: AbortSignal,
): Promise<Found<Ctx>> {
  const observed = await caught(
    async () => ({ kind: "observed", ctx: await kind.observe(run, signal) }) as const,
    kind.explain,
    signal,
  );
  if (observed.kind !== "observed") return { ctx: undefined, plan: undefined, results: [], outcome: observed, deleting };
  const { ctx } = observed;
  const plan = planOf<Ctx>(deleting ? (kind.cleanUp?.steps ?? []) : kind.steps, ctx);
  const { results } = Object.assign(course, { ctx, plan });
  await runSteps({ steps: plan.steps, results }, ctx, kind.explain, signal);
  return { ctx, plan, results, outcome: results.at(-1)?.outcome ?? { kind: "done" }, deleting };
}

const planOf = <Ctx>(steps: Steps<Ctx>, ctx: Ctx): Plan<Ctx> => (typeof steps === "function" ? steps(ctx) : { steps });

/** Writes status once, and tells what changed. Milliseconds: what it has to tell can wait so long. */
async function report<T extends ObjectWithStatus, Ctx>(
  kind: ControlledKind<T, Ctx>,
  session: Session<T, Ctx>,
  found: Found<Ctx>,
  signal: AbortSignal,
): Promise<number> {
  const { run, status, before, course, memory } = session;
  const conditions = stamp(kind, session, found);
  await despiteDeadline(run.addFinalizer, signal);
  const untoldMs = course.told ? 0 : untoldFor(kind, session, found); // what was told before the end has its event now
  if (untoldMs > 0) return untoldMs;
  const saved = (await despiteDeadline(status.save, signal)) ?? "unchanged";
  memory.untoldSinceMs = undefined;
  if (saved === "unchanged" && !course.told) return 0;
  const { outcome } = found;
  for (const { reason, message } of changed(before, conditions, found)) run.event(eventType(outcome), reason, message);
  const phase = "phase" in run.status ? run.status.phase : undefined;
  const step = found.results.at(-1)?.step.name;
  const fields = { phase, outcome: outcome.kind, step, reason: outcome.reason, text: outcome.message };
  if (outcome.kind === "terminal" || outcome.kind === "failed") run.log.warn(fields, "status changed");
  else run.log.info(fields, "status changed");
  return 0;
}

/** For so long words may be untold. */
const patienceMs = 1000;

/** How much longer what this run has found may stay untold. */
function untoldFor<T extends ObjectWithStatus, Ctx>(
  { onlyTells }: ControlledKind<T, Ctx>,
  { run, status, memory }: Session<T, Ctx>,
  { outcome: { kind } }: Found<Ctx>,
): number {
  const isUnderWay = kind === "waiting" || kind === "after";
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the status of an object of this kind
  const stored = status.stored() as NonNullable<T["status"]>;
  if (onlyTells === undefined || !isUnderWay || !status.differs() || !onlyTells(stored, run.status)) return 0;
  const nowMs = run.clock.monotonic();
  memory.untoldSinceMs ??= nowMs;
  return Math.max(0, memory.untoldSinceMs + patienceMs - nowMs);
}

/** Comes again to write what is untold. */
function tellingIn(ms: number, result: SkeletonResult): SkeletonResult {
  if (ms <= 0) return result;
  const seconds = ms / 1000;
  switch (result.kind) {
    case "waiting":
      return { ...result, recheckSeconds: Math.min(seconds, result.recheckSeconds ?? Infinity) };
    case "after":
      return { ...result, seconds: Math.min(seconds, result.seconds) };
    case "done":
    case "terminal":
    case "failed":
    case "gone":
      return result; // they tell all that they have found
    default:
      return result satisfies never;
  }
}

/** Puts the conditions of what was found into the draft, and the phase that follows. */
function stamp<T extends ObjectWithStatus, Ctx>(
  kind: ControlledKind<T, Ctx>,
  { run, status, before, extra }: Session<T, Ctx>,
  found: Found<Ctx>,
): readonly (ConditionValue | Condition)[] {
  const { plan = { steps: kind.conditions.map(({ type }) => ({ condition: type })), keep: [] } } = found;
  const conditions = conditionsOf({
    before,
    table: kind.conditions,
    planned: plan.steps,
    keep: plan.keep ?? [],
    results: found.results,
    outcome: found.outcome,
    deleting: found.deleting,
    summary: (kind.summary ?? readySummary)(summaryInput(found), run),
    extra: { declared: kind.extraConditions ?? [], set: [...extra.values()] },
  });
  const { phase } = kind;
  status.stamp(conditions, phase === undefined ? undefined : (all) => phase(all, run.status, run.object));
  return conditions;
}

/** When the run's own deadline has passed, this is still written; when we are stopping, it is not. Undefined: there is nobody to tell. */
async function despiteDeadline<A>(write: (signal: AbortSignal) => Promise<A>, signal: AbortSignal): Promise<A | undefined> {
  try {
    if (!(signal.reason instanceof DeadlineError)) return await write(signal);
    return await withDeadline(new AbortController().signal, 10_000, "writing the status", write);
  } catch (error) {
    if (isApiError(error, "notFound")) return undefined; // deleted meanwhile
    throw error;
  }
}

const eventType = (outcome: Outcome | Failure): "Normal" | "Warning" =>
  outcome.kind === "terminal" || outcome.kind === "failed" ? "Warning" : "Normal";

/** The conditions of this run's steps that say something new; without any step, the summary's. */
function changed<Ctx>(
  before: readonly Condition[],
  now: readonly (ConditionValue | Condition)[],
  { results }: Found<Ctx>,
): readonly { readonly reason: string; readonly message: string }[] {
  const own = new Set(results.map(({ step }) => step.condition).filter((type) => type !== undefined));
  const told = own.size > 0 ? now.filter(({ type }) => own.has(type)) : now.slice(0, 1);
  return told.filter((value) => {
    const old = findCondition(before, value.type);
    return value.status !== "Unknown" && (old?.status !== value.status || old.reason !== value.reason);
  });
}

function summaryInput<Ctx>({ ctx, outcome, results, deleting }: Found<Ctx>): RunResult<Ctx> {
  const { kind, reason = "", message = "" } = outcome;
  const shown: Outcome = kind === "failed" ? { kind: "waiting", reason, message } : outcome;
  return { ctx, outcome: shown, step: results.at(-1)?.step.name, deleting };
}

const withVersion = <T extends ObjectWithStatus>(object: T, resourceVersion: string): T => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion },
});

/** When to look again: the earliest that any step of this run asks for. */
function resultOf<T extends ObjectWithStatus, Ctx>(
  { outcome, results }: Found<Ctx>,
  { run, memory }: Pick<Session<T, Ctx>, "run" | "memory">,
): SkeletonResult {
  noteFailing(memory, outcome, run.clock.monotonic());
  const outcomes = results.length === 0 ? [outcome] : results.map((result) => result.outcome);
  const seconds = lookAgainSeconds(outcomes, run.backOffSeconds);
  switch (outcome.kind) {
    case "done":
    case "waiting":
    case "terminal":
      return seconds === undefined ? { kind: outcome.kind } : { kind: outcome.kind, recheckSeconds: seconds };
    case "after":
      return { kind: "after", seconds: seconds ?? 0 };
    case "failed":
      return { kind: "failed", error: outcome.error };
    default:
      return outcome satisfies never;
  }
}
