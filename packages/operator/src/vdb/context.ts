import { durationMilliseconds, type PostgresVDB, safeLabelValue, type VdbConditionType, type VdbReason } from "@vdb/api";
import type { ConfigMap, Deployment, Outcome, PersistentVolumeClaim, Pod, Run, Service, Step } from "kube-runtime";
import type { ResolvedSource } from "../data/source.ts";
import type { Memory } from "./memory.ts";
import { claimName, configMapName, contentIdOf, instanceLabel, keyOfVdb } from "./names.ts";
import type { Gate } from "./objects/config-map.ts";
import type { Password } from "./password.ts";
import type { Caches, World } from "./world.ts";

/** What the API server may say to any step, documented beside the table of conditions. */
export type ApiReason = "Forbidden" | "Invalid";
/** The outcome of a step that sets one condition: it uses only the reasons that the condition documents. */
export type VdbOutcome<T extends VdbConditionType> = Outcome<VdbReason<T> | ApiReason>;

export interface VdbStep<T extends VdbConditionType> extends Step<VdbContext> {
  readonly condition: T;
  readonly run: (ctx: VdbContext, signal: AbortSignal) => Promise<VdbOutcome<T>>;
}

/** What the steps of one run know: gathered before the first, and what earlier steps of the same run found out. */
export interface VdbContext {
  readonly run: Run<PostgresVDB>;
  readonly vdb: PostgresVDB;
  readonly world: World;
  readonly memory: Memory;
  readonly contentId: string;
  readonly claim: PersistentVolumeClaim | undefined;
  readonly deployment: Deployment | undefined;
  readonly service: Service | undefined;
  /** All of this database's, also those that are ending. */
  readonly pods: readonly Pod[];
  /** As it is recorded for the present content: what was opened once stays so, whatever becomes of the objects that open it. */
  readonly gate: Gate;
  /** As this run has last written it. */
  configMap: ConfigMap | undefined;
  /** Set by acceptSpec. */
  password: Password | undefined;
  /** Set by resolveSource when it had to look. */
  source: ResolvedSource | undefined;
  /** Set by acceptSpec: the text of settings.conf. */
  settings: string;
  /** Set by ensureSettings: a pod that has failed gets others than it has failed with. */
  settingsCorrected: boolean;
  /** Set by ensureDeployment: the pod whose server answers. */
  pod: Pod | undefined;
}

/** Reads caches alone, so that it cannot fail. */
export function observe(world: World, run: Run<PostgresVDB>): VdbContext {
  const vdb = run.object;
  const { namespace } = vdb.metadata;
  const { claims, configMaps, deployments, services, pods } = world.caches;
  const contentId = contentIdOf(vdb);
  const key = keyOfVdb(vdb);
  return {
    run,
    vdb,
    world,
    memory: world.memories.of(vdb.metadata.uid),
    contentId,
    claim: claims.get({ namespace, name: vdb.status.pvcName ?? claimName(vdb, contentId) }),
    configMap: configMaps.get({ namespace, name: configMapName(vdb) }),
    deployment: deployments.get(key),
    service: services.get(key),
    pods: pods.byIndex(podsByInstance, instanceKey(vdb)),
    gate: vdb.status.openedFor === contentId ? "open" : "shut",
    password: undefined,
    source: undefined,
    settings: "",
    settingsCorrected: false,
    pod: undefined,
  };
}

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

const staysEnded = ({ status, metadata }: Pod): boolean =>
  metadata.deletionTimestamp === undefined && (status?.phase === "Failed" || status?.phase === "Succeeded");

/** The index of the pods' cache by database. */
export const podsByInstance = "instance";
export const instanceOfPod = ({ metadata: { namespace, labels } }: Pod): readonly string[] =>
  labels?.[instanceLabel] === undefined ? [] : [`${namespace ?? ""}/${labels[instanceLabel]}`];
export const instanceKey = ({ metadata: { namespace, name } }: PostgresVDB): string => `${namespace}/${safeLabelValue(name)}`;

/** The index of the databases' cache by the handle of their volume. */
export const vdbsByHandle = "handle";
export const handleOfVdb = ({ status }: PostgresVDB): readonly string[] =>
  (status.delphixID ?? "") === "" ? [] : [status.delphixID ?? ""];

/** Whether the gate of a database of ours on that volume is shut. Databases of another operator are unknown here. */
export const isShut =
  (vdbs: Caches["vdbs"]) =>
  (handle: string): boolean =>
    vdbs
      .byIndex(vdbsByHandle, handle)
      .some(({ status }) => status.openedFor === undefined || status.openedFor !== status.contentId);

/**
 * Pure: seconds until the next look at what has failed for so long. The first comes soon, later ones as late as it has lasted,
 * at most `spec.errorBackoffPeriod`.
 */
export function backOffSeconds(failingSeconds: number, errorBackoffPeriod: string): number {
  return Math.min(durationMilliseconds(errorBackoffPeriod) / 1000, Math.max(1, failingSeconds));
}
