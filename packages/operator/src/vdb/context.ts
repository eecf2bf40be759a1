import { durationMilliseconds, type PostgresVDB, safeLabelValue, type VdbConditionType, type VdbReason } from "@vdb/api";
import type {
  ConfigMap,
  Deployment,
  Finding,
  FindingStep,
  Outcome,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  Run,
  Service,
  Step,
  Unmet,
} from "kube-runtime";
import type { ClaimPlan } from "../data/source.ts";
import { modeOf, type PodMode, shutsWriters } from "./decide/decide-mode.ts";
import { type Course, courseOf, keepsGateShut } from "./decide/hold.ts";
import type { Memory } from "./memory.ts";
import { claimName, configMapName, contentIdOf, contentLabel, instanceLabel, keyOfVdb } from "./names.ts";
import type { Gate } from "./objects/config-map.ts";
import { leadsNowhere } from "./objects/service.ts";
import type { Password } from "./password.ts";
import type { Caches, World } from "./world.ts";

/** What the API server may say to any step, documented beside the table of conditions. */
export type ApiReason = "Forbidden" | "Invalid";
/** The outcome of a step that sets one condition: it uses only the reasons that the condition documents. */
export type VdbOutcome<T extends VdbConditionType> = Outcome<VdbReason<T> | ApiReason>;

/** A step of one condition. `Known`: the context that it needs. */
export interface VdbStep<T extends VdbConditionType, Known extends VdbContext = VdbContext> extends Step<Known> {
  readonly condition: T;
  readonly run: (ctx: Known, signal: AbortSignal) => Promise<VdbOutcome<T>>;
}

/** The same with something that it finds for the steps behind it. */
export interface VdbFindingStep<T extends VdbConditionType, Found extends object, Known extends VdbContext = VdbContext>
  extends FindingStep<Known, Found> {
  readonly condition: T;
  readonly run: (ctx: Known, signal: AbortSignal) => Promise<VdbFinding<T, Found>>;
}
export type VdbUnmet<T extends VdbConditionType> = Unmet<VdbReason<T> | ApiReason>;
export type VdbFinding<T extends VdbConditionType, Found extends object> = Finding<VdbReason<T> | ApiReason, Found>;

/** A step without a condition of its own: its reasons are shown by Ready and Reconciling. */
export interface PlainVdbStep<Known extends VdbContext = VdbContext> extends Step<Known> {
  readonly run: (ctx: Known, signal: AbortSignal) => Promise<VdbOutcome<VdbConditionType>>;
}

/** What acceptSpec finds. */
export interface AcceptedSpec {
  /** The text of settings.conf. */
  readonly settings: string;
  readonly password: Password;
}

/** What resolveSource finds: the claim of the present data, be it the database's own or its user's, or how to come by one. */
export type Origin =
  | { readonly kind: "claim" | "adopted"; readonly claim: PersistentVolumeClaim }
  | { readonly kind: "plan"; readonly plan: ClaimPlan };

/** What ensureSettings finds. */
export interface StoredSettings {
  /** As this run has last written it. */
  readonly configMap: ConfigMap;
  /** A pod that has failed gets other settings than it has failed with. */
  readonly settingsCorrected: boolean;
}

/** What ensureDeployment finds: the pod whose server answers. */
export interface RunningPod {
  readonly pod: Pod;
}

/** What is known of a database whose server answers. */
export type RunningContext = VdbContext & AcceptedSpec & StoredSettings & RunningPod;

/** What `observe` gathers before the first step; each step's findings join it for those behind. */
export interface VdbContext {
  readonly run: Run<PostgresVDB>;
  readonly vdb: PostgresVDB;
  readonly world: World;
  readonly memory: Memory;
  readonly contentId: string;
  readonly claim: PersistentVolumeClaim | undefined;
  readonly deployment: Deployment | undefined;
  readonly service: Service | undefined;
  readonly disruptionBudget: PodDisruptionBudget | undefined;
  /** All of this database's, also those that are ending. */
  readonly pods: readonly Pod[];
  /** How the Deployment has the present data run; undefined: there is none for it. */
  readonly podMode: PodMode | undefined;
  /** Open: the present data was opened, and neither action nor mode keeps it shut. What becomes of the objects that open it does not count. */
  readonly gate: Gate;
  /** Whether the present data was opened, whatever the gate is now: its hooks are history. */
  readonly wasOpened: boolean;
  /** How far an action lets it come up. */
  readonly course: Course;
  readonly configMap: ConfigMap | undefined;
}

/** Reads caches alone, so that it cannot fail. */
export function observe(world: World, run: Run<PostgresVDB>): VdbContext {
  const vdb = run.object;
  const { namespace } = vdb.metadata;
  const { claims, configMaps, deployments, services, disruptionBudgets, pods } = world.caches;
  const contentId = contentIdOf(vdb);
  const key = keyOfVdb(vdb);
  const course = courseOf(vdb);
  const wasOpened = vdb.status.content?.openedTime !== undefined;
  const deployment = deployments.get(key);
  const template = deployment?.spec.template.metadata;
  const podMode = template?.labels?.[contentLabel] === contentId ? modeOf(template) : undefined;
  return {
    run,
    vdb,
    world,
    memory: world.memories.of(vdb.metadata.uid),
    contentId,
    claim: claims.get({ namespace, name: vdb.status.content?.claimName ?? claimName(vdb, contentId) }),
    configMap: configMaps.get({ namespace, name: configMapName(vdb) }),
    deployment,
    podMode,
    service: services.get(key),
    disruptionBudget: disruptionBudgets.get(key),
    pods: pods.byIndex(podsByInstance, instanceKey(vdb)),
    gate: wasOpened && !keepsGateShut(course) && !shutsWriters(vdb.spec.mode, podMode, course) ? "open" : "shut",
    wasOpened,
    course,
  };
}

/**
 * The gate of the objects around the server until openGate has seen to it. An action that has come to its end records data as opened
 * which is shut so far: the server lets clients in before anybody is led to it, and they do not wait for what a later pod starts by.
 */
export const gateSoFar = ({ gate, course, service }: Pick<VdbContext, "gate" | "course" | "service">): Gate =>
  course === "asItRuns" && service !== undefined && leadsNowhere(service) ? "shut" : gate;

/**
 * The names of the pods that may hold the volume. One that was evicted stays as an object, and holds nothing; one that has ended
 * because it is being deleted is still there until the kubelet has unmounted its volumes.
 */
export function livePods({ pods }: Pick<VdbContext, "pods">): readonly string[] {
  return pods
    .filter((pod) => !staysEnded(pod))
    .map(({ metadata }) => metadata.name)
    .toSorted();
}

/**
 * The names of those whose containers may still run. The kubelet ends a pod's phase when all of its containers have ended; it
 * unmounts the volumes after that, and removes the pod a second later.
 */
export function runningPods({ pods }: Pick<VdbContext, "pods">): readonly string[] {
  return pods
    .filter((pod) => !hasEnded(pod))
    .map(({ metadata }) => metadata.name)
    .toSorted();
}

const hasEnded = ({ status }: Pod): boolean => status?.phase === "Failed" || status?.phase === "Succeeded";
const staysEnded = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined && hasEnded(pod);

/** The index of the pods' cache by database. */
export const podsByInstance = "instance";
export const instanceOfPod = ({ metadata: { namespace, labels } }: Pod): readonly string[] =>
  labels?.[instanceLabel] === undefined ? [] : [`${namespace ?? ""}/${labels[instanceLabel]}`];
export const instanceKey = ({ metadata: { namespace, name } }: PostgresVDB): string => `${namespace}/${safeLabelValue(name)}`;

/** The index of the databases' cache by the handle of their volume. */
export const vdbsByHandle = "handle";
export const handleOfVdb = ({ status }: PostgresVDB): readonly string[] =>
  (status.delphixID ?? "") === "" ? [] : [status.delphixID ?? ""];

/**
 * Whether the gate of a database of ours on that volume is shut: also while an action holds it, for the volume may have other data
 * already than the status tells of. Databases of another operator are unknown here.
 */
export const isShut =
  (vdbs: Caches["vdbs"]) =>
  (handle: string): boolean =>
    vdbs
      .byIndex(vdbsByHandle, handle)
      .some((vdb) => vdb.status.content?.openedTime === undefined || keepsGateShut(courseOf(vdb)));

/**
 * Pure: seconds until the next look at what has failed for so long. The first comes soon, later ones as late as it has lasted,
 * at most `spec.errorBackoffPeriod`.
 */
export function backOffSeconds(failingSeconds: number, errorBackoffPeriod: string): number {
  return Math.min(durationMilliseconds(errorBackoffPeriod) / 1000, Math.max(1, failingSeconds));
}
