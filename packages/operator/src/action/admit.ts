import { type ActionObject, apiVersionOf, postgresVDB } from "@vdb/api";
import { after, done, type Outcome, terminal, type Unmet, waiting } from "kube-runtime";
import { grantFor, isGranted, type Reference } from "../access/grant.ts";
import { isServed, servedText } from "../access/served.ts";
import { type ActionContext, nameOfTarget, vdbOf } from "./context.ts";
import { queuedMark } from "./take-turn.ts";

/** What a kind needs of its database before it begins: undefined, or what it waits for. Terminal: what will never be so. */
export type Needs = (ctx: ActionContext) => Unmet | undefined;

/** Grants are not watched. */
const grantLookSeconds = 10;

/**
 * Whether the action may begin. Until then it is Pending, with no effect anywhere, until its deadline, which counts from its
 * creation; time that it spends queued does not count.
 */
export async function admit(ctx: ActionContext, needs: Needs, signal: AbortSignal): Promise<Outcome> {
  const blocked = (await blockedBy(ctx, signal)) ?? needs(ctx);
  if (blocked === undefined) return done();
  if (blocked.kind === "terminal") return blocked;
  const { deadlineSeconds } = ctx.action.spec;
  const leftSeconds = deadlineSeconds - waitedSeconds(ctx);
  if (leftSeconds <= 0)
    return terminal(
      "DeadlineExceeded",
      `it did not begin within spec.deadlineSeconds (${deadlineSeconds} s): ${blocked.message}`,
    );
  const lookSeconds =
    "again" in blocked && blocked.again !== undefined && "recheckSeconds" in blocked.again
      ? blocked.again.recheckSeconds
      : Infinity;
  return after(Math.min(leftSeconds, lookSeconds), blocked.reason, blocked.message);
}

function waitedSeconds({ run, action }: ActionContext): number {
  const { clock, marks } = run;
  const sinceCreation = clock.now() - Date.parse(action.metadata.creationTimestamp);
  const queued = marks.get(queuedMark);
  return Math.min(sinceCreation, queued === undefined ? Infinity : clock.monotonic() - queued) / 1000;
}

/** Why the action may not use this database at all, if so: nothing is told of it then. */
export async function blockedBy(ctx: ActionContext, signal: AbortSignal): Promise<Unmet | undefined> {
  const { action, target, world, run } = ctx;
  const { watchNamespaces, allowCrossNamespace } = world.config;
  const isElsewhere = target.namespace !== action.metadata.namespace;
  if (isElsewhere && !isServed(watchNamespaces, target.namespace))
    return waiting("VdbNotFound", `this operator serves ${servedText(watchNamespaces)}, not ${target.namespace}`);
  const reference = referenceOf(action, target);
  if (isElsewhere && !allowCrossNamespace && !(await isGranted(run.client, reference, signal)))
    return after(
      grantLookSeconds,
      "ReferenceNotGranted",
      `the namespace ${target.namespace} does not allow a ${action.kind} of the namespace ${action.metadata.namespace} to use ` +
        `PostgresVDB ${target.name}; its owner can apply this grant: ${grantFor(reference)}`,
    );
  const vdb = vdbOf(ctx);
  if (vdb === undefined) return waiting("VdbNotFound", `${nameOfTarget(ctx)} does not exist: create it, or correct the name`);
  if (vdb.metadata.deletionTimestamp !== undefined) return waiting("VdbNotFound", `${nameOfTarget(ctx)} is being deleted`);
  return undefined;
}

function referenceOf(
  { apiVersion, kind, metadata }: ActionObject,
  target: { readonly namespace: string; readonly name: string },
): Reference {
  const [group = ""] = apiVersion.split("/");
  const [toGroup = ""] = apiVersionOf(postgresVDB).split("/");
  return {
    from: { group, kind, namespace: metadata.namespace },
    to: { group: toGroup, kind: postgresVDB.kind, ...target },
  };
}
