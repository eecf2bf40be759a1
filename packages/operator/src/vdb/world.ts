import type { ActionObject, PostgresVDB, ScheduleName } from "@vdb/api";
import type {
  Cache,
  ConfigMap,
  Deployment,
  ExecRequest,
  ExecResult,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  Service,
  Trigger,
} from "kube-runtime";
import type { OperatorConfig } from "../config.ts";
import type { DataSources } from "../data/source.ts";
import type { StorageWatch } from "../data/storage.ts";
import type { Memories } from "./memory.ts";

/** The databases, and what the operator made for them, as the API server has it; by label, so the caches hold nothing else. */
export interface Caches {
  readonly vdbs: Cache<PostgresVDB>;
  readonly claims: Cache<PersistentVolumeClaim>;
  readonly configMaps: Cache<ConfigMap>;
  readonly deployments: Cache<Deployment>;
  readonly services: Cache<Service>;
  readonly disruptionBudgets: Cache<PodDisruptionBudget>;
  readonly pods: Cache<Pod>;
}

export type PodExec = (request: ExecRequest, signal: AbortSignal) => Promise<ExecResult>;

/** Everything outside of one database that its steps act through. Handed in, so that a test can be all of it. */
export interface World {
  readonly config: OperatorConfig;
  readonly caches: Caches;
  readonly sources: DataSources;
  readonly storage: StorageWatch;
  readonly exec: PodExec;
  readonly memories: Memories;
  /** Whether an action that has the turn may still be at work; false: it has ended or is gone. */
  readonly isAtWork: (holder: ActionHolder) => boolean;
  /** What the actions that have not ended name in their snapshotRef, wherever they are. */
  readonly namedByActions: () => readonly NamedSnapshot[];
  /** The actions that a schedule of a database has made, those that have ended too. */
  readonly scheduled: (vdb: PostgresVDB, schedule: ScheduleName) => readonly ActionObject[];
  /** What else wakes a database. */
  readonly actionTriggers: readonly Trigger[];
}

export type ActionHolder = NonNullable<PostgresVDB["status"]["activeAction"]>;

/** A snapshot as an action names it. */
export interface NamedSnapshot {
  readonly type: string;
  readonly name: string;
  /** Of the action's database. */
  readonly namespace: string;
  /** The action, for people. */
  readonly who: string;
}
