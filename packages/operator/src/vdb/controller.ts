import { isSwitchedOn, type PostgresVDB, postgresVDB, resourceOf, type VdbConditionType, vdbPhase } from "@vdb/api";
import {
  type Cache,
  type CacheOptions,
  type ConditionValue,
  type ControlledKind,
  configMaps,
  deployments,
  type KubeObject,
  type Manager,
  mapped,
  owned,
  type Plan,
  persistentVolumeClaims,
  podDisruptionBudgets,
  pods,
  type Resource,
  type RunResult,
  readySummary,
  services,
} from "kube-runtime";
import { cacheOfServed, type Served } from "../access/served.ts";
import { backOffSeconds, handleOfVdb, instanceOfPod, observe, podsByInstance, type VdbContext, vdbsByHandle } from "./context.ts";
import { isToRun } from "./decide/hold.ts";
import { onlyTells } from "./decide/only-tells.ts";
import { vdbLogFields } from "./log-fields.ts";
import { instanceLabel, ownObjects } from "./names.ts";
import { cleanUpSteps } from "./steps/clean-up.ts";
import { discardPrevious } from "./steps/discard-previous.ts";
import { heedExpiry } from "./steps/heed-expiry.ts";
import { heldOnTheWay, heldStopped, tidyTurn } from "./steps/hold.ts";
import { keepSchedules } from "./steps/keep-schedules.ts";
import { retireSnapshots } from "./steps/retire-snapshots.ts";
import { stopPlan } from "./steps/stop.ts";
import { tellStorage } from "./steps/tell-storage.ts";
import { heldSteps, vdbSteps } from "./steps.ts";
import type { Caches, World } from "./world.ts";

export const finalizer = "postgresvdb.core.delphix.com/finalizer";

/** The conditions that steps set, in the order in which a database comes up, with what they say when all is well. */
const conditionRows = (
  [
    ["Accepted", "Accepted", "the operator can carry out the manifest"],
    ["SourceResolved", "Resolved", "the source, the group and the environment exist"],
    ["Provisioned", "Provisioned", "the claim is bound"],
    ["Configured", "Configured", "settings and start script are in place"],
    ["Deployed", "Deployed", "PostgreSQL in the pod answers"],
    ["Prepared", "Prepared", "settings and password are in force"],
    ["HooksSucceeded", "Succeeded", "all hooks of its stage have run on the present data"],
  ] as const
).map(
  ([type, reason, message]) => ({ type, reason, message }) satisfies { type: VdbConditionType; reason: string; message: string },
);

const stepConditions: ReadonlySet<string> = new Set(conditionRows.map(({ type }) => type));

/** PostgresVDB as the skeleton runs it. */
export function vdbKind(world: World): ControlledKind<PostgresVDB, VdbContext> {
  return {
    name: "postgresvdb",
    resource: resourceOf(postgresVDB),
    conditions: conditionRows,
    extraConditions: ["HygieneApplied", "HooksComplete", "CertificateCurrent", "Expiring", "Scheduled", "StorageHealthy"],
    observe: async (run) => observe(world, run),
    steps: planOf,
    cleanUp: { finalizer, comesWith: "firstWrite", steps: cleanUpSteps }, // the claim's name is stored before the claim is made
    phase: (conditions, _status, { metadata }) => vdbPhase(conditions, metadata.deletionTimestamp !== undefined),
    summary,
    onlyTells: (stored, next) => onlyTells(stepConditions, stored, next),
    explain: world.sources.explain,
    backOff: (failingSeconds, { spec }) => backOffSeconds(failingSeconds, spec.errorBackoffPeriod),
    logFields: vdbLogFields,
  };
}

/** How it comes up, or stops, or is held; in any case with a word on its storage, and without data and snapshots whose time has passed. */
function planOf(ctx: VdbContext): Plan<VdbContext> {
  const { steps, keep = [] } = courseSteps(ctx);
  return { steps: [tidyTurn, tellStorage, heedExpiry, keepSchedules, discardPrevious, retireSnapshots, ...steps], keep };
}

function courseSteps(ctx: VdbContext): Plan<VdbContext> {
  const { course } = ctx;
  if (course === "stopped") return heldStopped(ctx);
  if (course === "beforeHooks" || course === "beforeOpen") return heldOnTheWay(heldSteps[course]);
  return isUp(ctx) ? { steps: vdbSteps } : stopPlan(ctx);
}

const isUp = ({ course, vdb, deployment, wasOpened }: VdbContext): boolean =>
  isToRun(course, { enabled: isSwitchedOn(vdb), runs: deployment?.spec.replicas === 1, wasOpened });

/**
 * Ready, and beside it what the status says in words of its own. A database that is stopped as declared says nothing on Ready;
 * that it is, is the condition Deployed, which no step of its sets.
 */
function summary(result: RunResult<VdbContext>): readonly ConditionValue[] {
  const { ctx, outcome, deleting } = result;
  if (ctx === undefined) return readySummary(result);
  const { status } = ctx.run;
  const running = isUp(ctx) || ctx.course === "stopped" || deleting;
  status.ready = outcome.kind === "done" && running && !deleting;
  if (outcome.kind === "terminal") status.lastError = outcome.message;
  if (outcome.kind === "done") status.lastError = "";
  if (running) return readySummary(result);
  return outcome.kind === "done"
    ? [deployed("Stopped", ctx.vdb.spec.enabled ? "it has expired; see the condition Expiring" : "spec.enabled is false")]
    : [...readySummary(result), deployed("Stopping", outcome.message ?? "")];
}

const deployed = (reason: string, message: string): ConditionValue => ({ type: "Deployed", status: "False", reason, message });

/** The watches: everything by the operator's own label, so that the caches hold no other owner's objects. */
export function vdbCaches(manager: Pick<Manager, "cacheFor">, served: Served): Caches {
  const ours = { labelSelector: ownObjects };
  const cacheOf = <T extends KubeObject>(resource: Resource<T>, options: CacheOptions<T>): Cache<T> =>
    cacheOfServed(manager, served, resource, options);
  return {
    vdbs: cacheOf(resourceOf(postgresVDB), { indexes: { [vdbsByHandle]: handleOfVdb } }),
    claims: cacheOf(persistentVolumeClaims, ours),
    configMaps: cacheOf(configMaps, ours),
    deployments: cacheOf(deployments, ours),
    services: cacheOf(services, ours),
    disruptionBudgets: cacheOf(podDisruptionBudgets, ours),
    pods: cacheOf(pods, { ...ours, indexes: { [podsByInstance]: instanceOfPod } }),
  };
}

/** Adds the controller to a manager, with all that wakes it. */
export function controlVdbs(manager: Manager, world: World): void {
  const {
    vdbs,
    claims,
    configMaps: maps,
    deployments: deploys,
    services: svcs,
    disruptionBudgets,
    pods: podCache,
  } = world.caches;
  const { concurrency } = world.config;
  manager.control(vdbKind(world), {
    cache: vdbs,
    concurrency,
    triggers: [
      owned(claims, "PostgresVDB"),
      owned(maps, "PostgresVDB"),
      owned(deploys, "PostgresVDB"),
      owned(svcs, "PostgresVDB"),
      owned(disruptionBudgets, "PostgresVDB"),
      mapped(podCache, ({ metadata: { namespace = "", labels } }) =>
        labels?.[instanceLabel] === undefined ? [] : [{ namespace, name: labels[instanceLabel] }],
      ),
      world.storage.trigger,
      ...world.actionTriggers,
    ],
  });
}
