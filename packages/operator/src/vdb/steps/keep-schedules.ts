import {
  type ActionKind,
  type ActionObject,
  actionKinds,
  isFinished,
  isSwitchedOn,
  type PostgresVDB,
  plainResourceOf,
  resourceOf,
  type ScheduleName,
  type ScheduleStatus,
  scheduleNames,
} from "@vdb/api";
import { type ConditionValue, done, isApiError, isControlledBy, timestamp } from "kube-runtime";
import type { PlainVdbStep, VdbContext } from "../context.ts";
import { beyondHistory, type Due, dueOf, type Situation, type Skipped, scheduledName, skipped } from "../decide/schedule.ts";
import { childLabels, ownerOf, scheduledTime, scheduleLabel } from "../names.ts";
import { timesOf } from "../schedule-times.ts";

/** No look is later, so that a clock that was set is noticed. */
const mostSeconds = 3600;
/** After what the API server refuses it is asked again. */
const refusedSeconds = 60;

type Schedule = NonNullable<NonNullable<PostgresVDB["spec"]["schedules"]>[ScheduleName]>;
interface Kept {
  readonly seconds?: number;
  /** What a person has to know. */
  readonly trouble?: { readonly reason: "ScheduleRefused" | "ActionRefused"; readonly message: string };
}

/**
 * Scheduled: begins actions by `spec.schedules`. The action is made before the status tells of it, and its name is its time's: an
 * operator that dies in between comes to the same name again. The database depends on none of it.
 */
export const keepSchedules: PlainVdbStep = {
  name: "keepSchedules",
  run: async (ctx, signal) => {
    const { run, vdb } = ctx;
    const kept = new Map<ScheduleName, Kept>();
    for (const name of scheduleNames) {
      const schedule = vdb.spec.schedules?.[name];
      if (schedule !== undefined) kept.set(name, await keep(ctx, name, schedule, signal));
      else if (run.status.schedules !== undefined) delete run.status.schedules[name];
    }
    if (kept.size === 0) {
      delete run.status.schedules;
      return done();
    }
    run.setCondition(conditionOf(kept));
    const seconds = [...kept.values()].flatMap((one) => one.seconds ?? []);
    return done({ recheckSeconds: Math.min(mostSeconds, ...seconds) });
  },
};

function conditionOf(kept: ReadonlyMap<ScheduleName, Kept>): ConditionValue {
  const troubles = [...kept].flatMap(([name, { trouble }]) => (trouble === undefined ? [] : [{ name, ...trouble }]));
  const [first] = troubles;
  if (first === undefined) return { type: "Scheduled", status: "True", reason: "Scheduled", message: "see status.schedules" };
  const message = troubles.map(({ name, message: why }) => `spec.schedules.${name}: ${why}`).join("; ");
  return { type: "Scheduled", status: "False", reason: first.reason, message };
}

async function keep(ctx: VdbContext, name: ScheduleName, schedule: Schedule, signal: AbortSignal): Promise<Kept> {
  const { run, vdb, world } = ctx;
  const times = timesOf(schedule);
  if ("refused" in times) return { trouble: { reason: "ScheduleRefused", message: times.refused } };
  const nowMs = run.clock.now();
  const actions = world.scheduled(vdb, name);
  const due = dueOf(times, situationOf(ctx, schedule, statusOf(ctx, name), actions));
  const of = textOf(schedule);
  try {
    const change = await meet(ctx, { name, schedule, due }, signal);
    const { lastTime, lastAction, skipped: before } = vdb.status.schedules?.[name] ?? {};
    run.status.schedules = {
      ...run.status.schedules,
      [name]: {
        of,
        doneTime: timestamp(due.doneMs),
        ...(due.nextMs === undefined ? {} : { nextTime: timestamp(due.nextMs) }),
        ...(lastTime === undefined ? {} : { lastTime }),
        ...(lastAction === undefined ? {} : { lastAction }),
        ...(before === undefined ? {} : { skipped: before }),
        ...change,
      },
    };
    await forget(ctx, schedule, actions, signal);
  } catch (error) {
    if (!isApiError(error, "forbidden", "invalid")) throw error;
    return {
      seconds: refusedSeconds,
      trouble: { reason: "ActionRefused", message: `the API server refuses the action: ${error.message}` },
    };
  }
  return due.nextMs === undefined ? {} : { seconds: Math.max(0.1, (due.nextMs - nowMs) / 1000) };
}

const textOf = ({ schedule, timeZone }: Schedule): string => `${schedule} ${timeZone}`;
const statusOf = ({ vdb }: VdbContext, name: ScheduleName): ScheduleStatus | undefined => vdb.status.schedules?.[name];

/** What was edited begins anew; but a time that has had its action has had it. */
function doneMs({ run }: VdbContext, schedule: Schedule, status: ScheduleStatus | undefined): number | undefined {
  const known = status?.doneTime === undefined ? undefined : Date.parse(status.doneTime);
  if (known === undefined || status?.of === textOf(schedule)) return known;
  return Math.max(known, run.clock.now());
}

function situationOf(
  ctx: VdbContext,
  schedule: Schedule,
  status: ScheduleStatus | undefined,
  actions: readonly ActionObject[],
): Situation {
  const { startingDeadlineSeconds, suspend } = schedule;
  return {
    nowMs: ctx.run.clock.now(),
    doneMs: doneMs(ctx, schedule, status),
    suspend,
    deadlineMs: startingDeadlineSeconds === undefined ? undefined : startingDeadlineSeconds * 1000,
    isAtWork: actions.some((action) => !isFinished(action)),
    unfit: unfitness(ctx.vdb),
  };
}

function unfitness(vdb: PostgresVDB): Situation["unfit"] {
  if (!isSwitchedOn(vdb)) return skipped("Stopped", "the database is stopped");
  if (vdb.status.content?.openedTime === undefined) return skipped("NotReady", "the database has not let clients in yet");
  return undefined;
}

interface Meeting {
  readonly name: ScheduleName;
  readonly schedule: Schedule;
  readonly due: Due;
}

async function meet(ctx: VdbContext, { name, schedule, due }: Meeting, signal: AbortSignal): Promise<Partial<ScheduleStatus>> {
  const { run, vdb } = ctx;
  switch (due.kind) {
    case "nothing":
    case "waits":
      return {};
    case "skip":
      return skip(ctx, name, due.timeMs, due.skipped);
    case "begin": {
      const made = await begin(ctx, name, schedule, due.timeMs, signal);
      const action = scheduledName(vdb.metadata.name, name, due.timeMs);
      if (made === "foreign")
        return skip(ctx, name, due.timeMs, skipped("NameTaken", `a ${schedule.kind} ${action} exists that is not its own`));
      if (made === "made")
        run.event("Normal", "ActionScheduled", `${schedule.kind} ${action} begins, as spec.schedules.${name} says`);
      return { lastTime: timestamp(due.timeMs), lastAction: action };
    }
    default:
      return due satisfies never;
  }
}

function skip({ run }: VdbContext, name: ScheduleName, timeMs: number, { reason, message }: Skipped): Partial<ScheduleStatus> {
  const time = timestamp(timeMs);
  run.event("Warning", "ScheduleSkipped", `the ${name} of ${time} is skipped: ${message}`);
  return { skipped: { time, reason, message } };
}

/** An action of that name is this one, whoever has made it: an operator before us, or we before the status could be written. */
async function begin(
  { run, vdb }: VdbContext,
  name: ScheduleName,
  schedule: Schedule,
  timeMs: number,
  signal: AbortSignal,
): Promise<"made" | "known" | "foreign"> {
  const kind = kindOf(schedule.kind);
  const { namespace } = vdb.metadata;
  const metadata = {
    namespace,
    name: scheduledName(vdb.metadata.name, name, timeMs),
    labels: { ...childLabels(vdb), [scheduleLabel]: name },
    annotations: { [scheduledTime]: timestamp(timeMs) },
    ownerReferences: ownerOf(vdb),
  };
  try {
    await run.client.create(plainResourceOf(kind), { metadata, spec: actionSpec(vdb, schedule) }, signal);
    return "made";
  } catch (error) {
    if (!isApiError(error, "alreadyExists")) throw error;
    const found = await run.client.find(resourceOf<ActionKind>(kind), metadata, signal);
    return found !== undefined && isControlledBy(found, vdb) ? "known" : "foreign";
  }
}

function actionSpec({ metadata: { name } }: PostgresVDB, schedule: Schedule): object {
  const {
    schedule: _,
    timeZone: __,
    suspend: ___,
    startingDeadlineSeconds: ____,
    history: _____,
    kind: ______,
    ...own
  } = schedule;
  return { vdbRef: { name }, ...own };
}

function kindOf(kind: string): ActionKind {
  const found = actionKinds.find((one) => one.kind === kind);
  if (found === undefined) throw new TypeError(`there is no kind ${kind}`);
  return found;
}

/** Actions that have ended go, beyond `history`. What they have made stays. */
async function forget(
  { run }: VdbContext,
  { history }: Schedule,
  actions: readonly ActionObject[],
  signal: AbortSignal,
): Promise<void> {
  const ended = actions.filter(isFinished).map((action) => ({ action, timeMs: timeOf(action) }));
  for (const { action } of beyondHistory(ended, history, run.clock.now())) {
    const { uid, deletionTimestamp } = action.metadata;
    if (deletionTimestamp !== undefined) continue;
    try {
      await run.client.delete(plainResourceOf(kindOf(action.kind)), action.metadata, signal, { preconditions: { uid } });
    } catch (error) {
      if (!isApiError(error, "notFound", "conflict")) throw error;
    }
  }
}

const timeOf = ({ metadata: { annotations, creationTimestamp } }: ActionObject): number =>
  Date.parse(annotations?.[scheduledTime] ?? creationTimestamp);
