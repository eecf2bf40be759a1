/** Sound states of a PostgresVDB and of an action, one per phase that counts: what the tests of the laws and of kstatus start from. */

import { type PostgresRefresh, postgresRefresh } from "../actions/refreshes.ts";
import { refreshPhases } from "../actions/status-fields.ts";
import { decode } from "../decode.ts";
import type { Condition } from "../fields/condition.ts";
import { type PostgresVDB, postgresVDB } from "../vdb/postgres-vdb.ts";
import type { PostgresVDBStatus } from "../vdb/status.ts";
import type { Kstatus } from "./kstatus.ts";
import { actionPhase, vdbPhase } from "./phase.ts";

const time = "2026-01-31T12:00:00Z";
const metadata = { namespace: "pg-operator", resourceVersion: "1", generation: 1, creationTimestamp: time };

/** `Ready+ Completed` or `Stalled+ SourceNotFound: no such dSource`: type, + or -, reason, message (left out: a stand-in). */
function conditions(...texts: readonly string[]): Condition[] {
  return texts.map((text) => {
    const [, type = "", sign, reason = "", message = "as declared"] = /^(\w+)([+-]) (\w+)(?:: (.*))?$/u.exec(text) ?? [];
    return { type, status: sign === "+" ? "True" : "False", reason, message, lastTransitionTime: time, observedGeneration: 1 };
  });
}

const steps = ["SourceResolved+ Resolved", "Provisioned+ Provisioned", "Configured+ Configured"];
const data = {
  pvcName: "orders-1a2b3c",
  endpoint: "orders.pg-operator.svc:5432",
  content: { id: "1a2b3c", claimName: "orders-1a2b3c", madeBy: "create" as const, dataTimestamp: time, openedTime: time },
  dataTimestamp: time,
};
const readyWords = `clients can connect to ${data.endpoint}, with the source's data as of ${time}`;
const missing = "engine delphix-engine has neither a dSource nor a VDB named absent; its dSources: production";

function vdb(status: Omit<PostgresVDBStatus, "phase" | "observedGeneration">): PostgresVDB {
  const phase = vdbPhase(status.conditions ?? [], false);
  return decode(postgresVDB, {
    apiVersion: "core.delphix.com/v1alpha1",
    kind: "PostgresVDB",
    metadata: { ...metadata, name: "orders", uid: "vdb-1" },
    spec: {
      source: { type: "dct-source", reference: "delphix-engine:production" },
      database: { passwordSecretRef: "my-db-password" },
    },
    status: { observedGeneration: 1, phase, ...status },
  });
}

export interface ExampleState<T> {
  readonly name: string;
  readonly object: T;
  /** What a GitOps tool makes of it. */
  readonly kstatus: Kstatus;
}

const freshVdb = vdb({});
export const vdbStates: readonly ExampleState<PostgresVDB>[] = [
  {
    name: "nobody has looked",
    kstatus: "InProgress",
    object: { ...freshVdb, status: postgresVDB.initialStatus },
  },
  {
    name: "provisioning",
    kstatus: "InProgress",
    object: vdb({
      ready: false,
      conditions: conditions(
        "Ready- Provisioning: the storage provisions claim orders-1a2b3c",
        "Reconciling+ Progressing: the storage provisions claim orders-1a2b3c",
        "SourceResolved+ Resolved",
        "Provisioned- Provisioning: the storage provisions claim orders-1a2b3c",
      ),
    }),
  },
  {
    name: "ready",
    kstatus: "Current",
    object: vdb({
      ...data,
      ready: true,
      delphixVDB: "dlpx-5a1a",
      delphixID: "1-APPDATA_CONTAINER-7",
      conditions: conditions(
        `Ready+ Ready: ${readyWords}`,
        ...steps,
        "Deployed+ Deployed",
        "Prepared+ Prepared",
        "HooksSucceeded+ NoHooks",
      ),
    }),
  },
  {
    name: "stopped as declared",
    kstatus: "Current",
    object: vdb({ ...data, ready: false, conditions: conditions(...steps, "Deployed- Stopped: spec.enabled is false") }),
  },
  {
    name: "a source that does not exist",
    kstatus: "Failed",
    object: vdb({
      ready: false,
      lastError: missing,
      conditions: conditions(
        `Ready- SourceNotFound: ${missing}`,
        `Stalled+ SourceNotFound: ${missing}`,
        `SourceResolved- SourceNotFound: ${missing}`,
      ),
    }),
  },
];

type RefreshStatus = PostgresRefresh["status"];
function refresh(status: Omit<RefreshStatus, "phase" | "observedGeneration">): PostgresRefresh {
  const phase = actionPhase(status.conditions ?? [], status.steps, refreshPhases);
  return decode(postgresRefresh, {
    apiVersion: "actions.delphix.com/v1alpha1",
    kind: "PostgresRefresh",
    metadata: { ...metadata, name: "orders-refresh", uid: "refresh-1" },
    spec: { vdbRef: { name: "orders" } },
    status: { observedGeneration: 1, phase, ...status },
  });
}

const begun = { startTime: time, steps: [{ name: "hold-database", phase: "Stopping", startTime: time, intent: "stopped" }] };
const ended = { startTime: time, completionTime: "2026-01-31T12:00:12Z", duration: "12s" };
const failed = "hook mask-tellers of stage post-refresh failed: relation pgbench_tellers does not exist; the old data is back";

export const actionStates: readonly ExampleState<PostgresRefresh>[] = [
  { name: "nobody has looked", kstatus: "InProgress", object: { ...refresh({}), status: postgresRefresh.initialStatus } },
  {
    name: "queued behind another action",
    kstatus: "InProgress",
    object: refresh({
      conditions: conditions(
        "Ready- Queued: the action waits for VDBSnapshot monday",
        "Reconciling+ Queued: the action waits for VDBSnapshot monday",
      ),
    }),
  },
  {
    name: "stopping the pod",
    kstatus: "InProgress",
    object: refresh({
      ...begun,
      conditions: conditions("Ready- Stopping: PostgreSQL shuts down", "Reconciling+ Stopping: PostgreSQL shuts down"),
    }),
  },
  {
    name: "completed",
    kstatus: "Current",
    object: refresh({
      ...ended,
      snapshot: { type: "dct-snapshot", name: "1-APPDATA_SNAPSHOT-12", id: "1-APPDATA_SNAPSHOT-12" },
      steps: [{ name: "hold-database", phase: "Stopping", startTime: time, intent: "stopped", completionTime: time }],
      conditions: conditions("Ready+ Completed", "Succeeded+ Completed", "ModeEnforced+ Enforced"),
    }),
  },
  {
    name: "failed, with the old data back",
    kstatus: "Failed",
    object: refresh({
      ...ended,
      lastError: failed,
      conditions: conditions(
        `Ready- HookFailed: ${failed}`,
        `Succeeded- HookFailed: ${failed}`,
        `Stalled+ HookFailed: ${failed}`,
        "RolledBack+ RolledBack",
      ),
    }),
  },
];
