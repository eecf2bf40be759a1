import {
  type ActionKind,
  type ActionObject,
  type ActionPhase,
  actionPhase,
  isFinished,
  type ObjectOf,
  postgresVDB,
  resourceOf,
} from "@vdb/api";
import { type ControlledKind, type Run, retry } from "kube-runtime";
import type { Needs } from "./admit.ts";
import { type ActionContext, observe, targetOf } from "./context.ts";
import { endOf } from "./end.ts";
import { logFieldsIn } from "./log-fields.ts";
import { cleanUpPlan, planOf } from "./plan.ts";
import { scriptOf } from "./script.ts";
import type { ActionDefinition, ActionStep } from "./step.ts";
import type { ActionWorld } from "./world.ts";

export const finalizer = "actions.delphix.com/finalizer";

/** The phases of a kind in which it works: all but the one before the first step and the two ends. */
type WorkingPhase<K extends ActionKind> = Exclude<ObjectOf<K>["status"]["phase"], "Pending" | "Completed" | "Error">;
type StepOf<K extends ActionKind> = ActionStep<ActionContext<ObjectOf<K>>>;

/** A kind of action: what is particular about it, and nothing else. */
export interface Declared<K extends ActionKind> {
  readonly kind: K;
  /** What its database must be for it to begin. */
  readonly needs: Needs;
  /** Its steps by the phase in which they run. Each phase has one at least, so that it is seen. */
  readonly phases: Readonly<Record<WorkingPhase<K>, readonly [StepOf<K>, ...StepOf<K>[]]>>;
  /** Whether it replaces the database's data: its end then says what became of the old. */
  readonly changesData?: true;
  /** What its conditions beside the summary are called. */
  readonly conditions?: readonly string[];
}

/**
 * Declares a kind of action: a phase left out does not compile.
 *
 * Expected flow: Pending until its database allows it (`needs`) and it is its turn there; its steps in order, each recorded
 * around its effect; the turn is left; the terminal phase is written last, with what it follows from.
 * Guarantees: an action that has ended is never run again. One that fails, passes its deadline or is deleted is taken back: the
 * steps that have begun are undone, the last first, up to the point of no return; from there it goes on to its end. While its
 * database is gone nothing is undone: its data goes with it.
 */
export function defineAction<const K extends ActionKind>({
  kind,
  needs,
  phases,
  conditions = [],
  changesData,
}: Declared<K>): ActionDefinition {
  const order: readonly ActionPhase[] = kind.status.properties.phase.enum;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the controller of a kind gives its steps objects of that kind
  const byPhase = phases as unknown as Readonly<Record<string, readonly ActionStep<ActionContext>[]>>;
  return {
    kind,
    needs,
    changesData: changesData === true,
    conditions,
    phases: order,
    steps: order.flatMap((phase) => (byPhase[phase] ?? []).map((step) => ({ ...step, phase }))),
  };
}

/** An action as the skeleton runs it. */
export function controlledAction(definition: ActionDefinition, world: ActionWorld): ControlledKind<ActionObject, ActionContext> {
  const script = scriptOf(definition, world.sources.explain);
  return {
    name: definition.kind.kind.toLowerCase(),
    resource: resourceOf<ActionKind>(definition.kind),
    conditions: [],
    extraConditions: ["RolledBack", ...definition.conditions],
    observe: async (run) => {
      keepConditions(run, definition.conditions);
      return observe(world, run);
    },
    steps: (ctx) => planOf(script, ctx),
    // A turn that was taken before is given back by the database, should the action go.
    cleanUp: { finalizer, comesWith: "firstWrite", steps: (ctx) => cleanUpPlan(script, ctx) },
    finished: isFinished,
    summary: endOf,
    phase: (conditions, { steps }) => actionPhase(conditions, steps, definition.phases),
    // Nothing from outside ends an action but its deadline: a refusal may be lifted in time.
    explain: (error) => {
      const unmet = world.sources.explain(error);
      return unmet?.kind === "terminal" ? retry(unmet.reason, unmet.message) : unmet;
    },
    logFields: logFieldsIn(world),
    related: (action) => ({
      apiVersion: `${postgresVDB.group}/${postgresVDB.version}`,
      kind: postgresVDB.kind,
      ...targetOf(action),
    }),
  };
}

/** What a step has once told stays told, also when the last run of the action does not come to that step again. */
function keepConditions({ object, setCondition }: Run<ActionObject>, types: readonly string[]): void {
  for (const { type, status, reason, message } of object.status.conditions ?? [])
    if (types.includes(type)) setCondition({ type, status, reason, message });
}
