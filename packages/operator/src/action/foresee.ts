import {
  type ActionObject,
  type ActionPlan,
  claimsOf,
  isSwitchedOn,
  type PostgresRefresh,
  type PostgresRewind,
  type PostgresSnapshot,
  type PostgresVDB,
  type SnapshotStatus,
  sourceReference,
  type VDBRefresh,
  type VDBRewind,
  type VDBSnapshot,
} from "@vdb/api";
import { type Draft, done, type Outcome } from "kube-runtime";
import { ActionFailed } from "../data/action-failed.ts";
import type { Chosen, ContentStore, Work } from "../data/content-store.ts";
import { snapshotsOf, takenSince, type VolumeSnapshot } from "../data/csi/volume-snapshots.ts";
import { hookStagesFor } from "../vdb/decide/hook-stages.ts";
import { blockedBy } from "./admit.ts";
import { type ActionContext, actionsByVdb, keyText, nameOfTarget, vdbOf } from "./context.ts";
import { answeringPod } from "./database.ts";
import { differences, downtimeOf, otherSnapshot, sameDeed } from "./decide-plan.ts";
import { type Foreseen, withWal } from "./foresee-wal.ts";
import { beginRollback } from "./rollback.ts";
import type { Script } from "./script.ts";
import { isPlanOnly } from "./turn.ts";

/** The kinds that can tell beforehand what they would do. */
type Foreseeable = VDBRefresh | PostgresRefresh | VDBRewind | PostgresRewind | VDBSnapshot | PostgresSnapshot;
type ForeseeContext = ActionContext<Foreseeable>;
const isForeseeable = (ctx: ActionContext): ctx is ActionContext & ForeseeContext => "planOnly" in ctx.action.spec;

/** spec.planOnly: the plan is told, and that is all. It needs no turn, and what it cannot find out is a blocker of the plan. */
export async function tellPlan(script: Script, ctx: ActionContext, signal: AbortSignal): Promise<Outcome> {
  if (!isForeseeable(ctx)) return done();
  const { status, clock } = ctx.run;
  status.startTime ??= new Date(clock.now()).toISOString();
  const foreseen = await foresee(script, ctx, signal);
  const plan = await withWal(ctx, foreseen, signal);
  const stale = ctx.action.spec.planRef === undefined ? undefined : staleness(ctx, plan);
  const blockers = [...plan.blockers, ...(stale === undefined ? [] : [stale])];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a copy of one's own may be written to
  status.plan = structuredClone({ ...plan, blockers }) as Draft<ActionPlan>;
  const { length } = blockers;
  return done({
    message: length === 0 ? "the plan is told, and nothing is in its way" : `the plan is told; in its way: ${length}`,
  });
}

/** spec.planRef: before its first step an action that would do something else than its plan is refused. */
export async function withinPlan(script: Script, ctx: ActionContext, signal: AbortSignal): Promise<Outcome> {
  if (!isForeseeable(ctx) || ctx.action.spec.planRef === undefined || (ctx.run.status.steps ?? []).length > 0) return done();
  const { plan } = await foresee(script, ctx, signal);
  const stale = staleness(ctx, plan);
  return stale === undefined ? done() : await beginRollback(ctx, stale.reason, stale.message, signal);
}

/** The same for what is chosen after the first hooks have run. */
export function requireAsPlanned(ctx: ActionContext, snapshot: SnapshotStatus): void {
  const plan = plannedBy(ctx);
  const other = plan === undefined ? undefined : otherSnapshot(plan.snapshot, snapshot);
  if (other !== undefined) throw new ActionFailed("PlanStale", staleWords(ctx, [other]));
}

type Blocker = ActionPlan["blockers"][number];
const blocker = (reason: string, message: string): Blocker => ({ reason, message });

function staleness(ctx: ActionContext, now: ActionPlan): Blocker | undefined {
  const name = refOf(ctx);
  const found = actionNamed(ctx, name);
  const planned = plannedBy(ctx);
  if (found === undefined || planned === undefined) {
    const why = found === undefined ? "does not exist" : "has no plan: it needs planOnly, and to have completed";
    return blocker("PlanNotFound", `spec.planRef: ${ctx.action.kind} ${name} ${why}`);
  }
  const others = sameDeed(found, ctx.action) ? differences(planned, now) : ["its spec asks for something else than the plan's"];
  return others.length === 0 ? undefined : blocker("PlanStale", staleWords(ctx, others));
}

const staleWords = (ctx: ActionContext, others: readonly string[]): string =>
  `plan ${refOf(ctx)} does not hold any more: ${others.join("; ")}; make a new plan, then apply a new action`;

const refOf = ({ action: { spec } }: ActionContext): string => ("planRef" in spec ? (spec.planRef?.name ?? "") : "");

function actionNamed({ action, world }: ActionContext, name: string): ActionObject | undefined {
  const cache = world.actions.find(({ resource }) => resource.kind === action.kind);
  return cache?.get({ namespace: action.metadata.namespace, name });
}

/** The plan that the action has to keep to; undefined: none, or it has none. */
function plannedBy(ctx: ActionContext): ActionPlan | undefined {
  const found = actionNamed(ctx, refOf(ctx));
  return found !== undefined && isPlanOnly(found) && "plan" in found.status ? found.status.plan : undefined;
}

/** Looks at all that decides what the action does. Changes nothing. */
async function foresee(script: Script, ctx: ForeseeContext, signal: AbortSignal): Promise<Foreseen> {
  const { definition } = script;
  const steps = definition.steps.map(({ name, phase }) => ({ name, phase }));
  const barred = await blockedBy(ctx, signal);
  const vdb = vdbOf(ctx);
  if (barred !== undefined || vdb === undefined)
    return {
      plan: {
        steps,
        hooks: [],
        blockers: [blocker(barred?.reason ?? "VdbNotFound", barred?.message ?? `${nameOfTarget(ctx)} is gone`)],
      },
      snapshots: [],
    };
  const needed = definition.needs(ctx);
  const found = needed === undefined || needed.kind !== "terminal" ? await look(ctx, vdb, signal) : { blockers: [] };
  const { content, previous } = vdb.status;
  const snapshots = await snapshotsOf(ctx.run.client, vdb.metadata, signal);
  const plan = {
    steps,
    hooks: hooksOf(ctx, vdb, found.chosen),
    blockers: [...(needed === undefined ? [] : [blocker(needed.reason, needed.message)]), ...found.blockers],
    dependants: dependantsOf(ctx, vdb, snapshots),
    ...(content === undefined ? {} : { contentId: content.id }),
    generation: vdb.metadata.generation ?? 0,
    ...("previousRetention" in ctx.action.spec
      ? {
          ...(found.chosen === undefined ? {} : { snapshot: found.chosen.snapshot }),
          lost: lostOf(ctx, vdb, found.chosen, snapshots),
          previous: keptFor(ctx.action.spec.previousRetention, previous?.id),
          ...downtime(ctx),
        }
      : {}),
  };
  return { plan, snapshots };
}

const keptFor = (retention: string, discards: string | undefined): NonNullable<ActionPlan["previous"]> => ({
  kept: !/^(?:0+(?:ms|s|m|h))+$/u.test(retention),
  for: retention,
  ...(discards === undefined ? {} : { discards }),
});

interface Found {
  readonly chosen?: Chosen;
  readonly blockers: readonly Blocker[];
}

/** What the storage says: which data it would be, or by which way a snapshot would be taken. */
async function look(ctx: ForeseeContext, vdb: PostgresVDB, signal: AbortSignal): Promise<Found> {
  const { name, uid } = ctx.action.metadata;
  const work: Work = { client: ctx.run.client, vdb, action: { name, uid } };
  try {
    const store = ctx.world.sources.holding(vdb)?.content;
    if (store === undefined) return { blockers: [blocker("VdbNotReady", `${nameOfTarget(ctx)} has no data yet`)] };
    return await asked(store, ctx, work, signal);
  } catch (error) {
    const unmet = error instanceof ActionFailed ? error : ctx.world.sources.explain(error);
    if (unmet === undefined) throw error;
    return { blockers: [blocker(unmet.reason, unmet.message)] };
  }
}

async function asked(store: ContentStore, { action }: ForeseeContext, work: Work, signal: AbortSignal): Promise<Found> {
  if (!("previousRetention" in action.spec)) {
    await store.snapshot.intend(work, signal);
    return { blockers: [] };
  }
  const wanted = { change: changeOf(action), ref: action.spec.snapshotRef };
  return { chosen: await store.choose(work, wanted, signal), blockers: [] };
}

const changeOf = ({ kind }: ActionObject): "refresh" | "rewind" => (kind.endsWith("Rewind") ? "rewind" : "refresh");

type Hooks = ActionPlan["hooks"];

/** In the order in which the steps run them. */
function hooksOf(ctx: ForeseeContext, vdb: PostgresVDB, chosen: Chosen | undefined): Hooks {
  const all = vdb.spec.hooks ?? [];
  const of = (stage: string): Hooks => all.filter((hook) => hook.stage === stage).map(({ name }) => ({ stage, name }));
  const { spec } = ctx.action;
  const scripts = (field: string): Hooks => (field in spec ? [{ stage: field, name: "its own" }] : []);
  const runs = isSwitchedOn(vdb) || answeringPod(ctx, vdb) !== undefined;
  if (!("previousRetention" in spec))
    return runs ? [...of("pre-snapshot"), ...scripts("preSnapshot"), ...scripts("postSnapshot"), ...of("post-snapshot")] : [];
  const madeBy = changeOf(ctx.action);
  const word = madeBy === "rewind" ? "Rewind" : "Refresh";
  const stages = hookStagesFor({ madeBy, ...(chosen?.takenOpen === undefined ? {} : { takenOpen: chosen.takenOpen }) }, all);
  return [...(runs ? [...of(`pre-${madeBy}`), ...scripts(`pre${word}`)] : []), ...scripts(`post${word}`), ...stages.flatMap(of)];
}

/** A rewind loses what came after its snapshot, a refresh all that came since clients were let in. */
function lostOf(
  { action }: ForeseeContext,
  { status: { content } }: PostgresVDB,
  chosen: Chosen | undefined,
  snapshots: readonly VolumeSnapshot[],
): NonNullable<ActionPlan["lost"]> {
  const { openedTime } = content ?? {};
  const { type, timestamp } = chosen?.snapshot ?? {};
  const since = changeOf(action) === "rewind" && type !== "previous" ? (timestamp ?? openedTime) : openedTime;
  const [newest] = openedTime === undefined ? [] : takenSince(snapshots, openedTime);
  const hasSome = newest !== undefined && (since === openedTime || Date.parse(newest.time) > Date.parse(since ?? newest.time));
  const savedBy = hasSome ? { name: newest.name, time: newest.time } : undefined;
  return { ...(since === undefined ? {} : { since }), ...(savedBy === undefined ? {} : { savedBy }) };
}

/** Databases made from this one, from its claim, or from a snapshot that an action has taken of it. */
function dependantsOf({ world }: ActionContext, vdb: PostgresVDB, snapshots: readonly VolumeSnapshot[]): readonly string[] {
  const { metadata, status } = vdb;
  const taken = new Set(snapshots.map((one) => one.metadata.name));
  return world.caches.vdbs
    .list()
    .filter((other) => {
      if (other.metadata.uid === metadata.uid) return false;
      const source = sourceReference(other.spec.source, other.metadata.namespace);
      if (source.type === "dct-source") return (status.delphixID ?? "") !== "" && other.status.source?.id === status.delphixID;
      if (source.namespace !== metadata.namespace) return false;
      return source.type === "k8s-snapshot"
        ? taken.has(source.name)
        : source.type === "pvc-clone" && claimsOf(status).includes(source.name);
    })
    .map((other) => keyText(other.metadata))
    .toSorted();
}

/** Of those that have replaced the data of this database, the last twenty. */
function downtime({ world, target }: ActionContext): Pick<ActionPlan, "downtime"> {
  const before = world.actions
    .flatMap((cache) => cache.byIndex(actionsByVdb, keyText(target)))
    .toSorted((a, b) => Date.parse(b.metadata.creationTimestamp) - Date.parse(a.metadata.creationTimestamp));
  const found = downtimeOf(before.slice(0, 20));
  return found === undefined ? {} : { downtime: found };
}
