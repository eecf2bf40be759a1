/** The API of virtual databases: nine kinds, each declared once. This file is the map. */

// The kinds, with the types inferred from them.
export { type PostgresVDB, postgresVDB } from "./vdb/postgres-vdb.ts";
export { type PostgresSnapshot, postgresSnapshot, type VDBSnapshot, vdbSnapshot } from "./actions/snapshots.ts";
export { type PostgresRefresh, postgresRefresh, type VDBRefresh, vdbRefresh } from "./actions/refreshes.ts";
export { type PostgresRewind, postgresRewind, type VDBRewind, vdbRewind } from "./actions/rewinds.ts";
export { type PostgresTask, postgresTask, type RetryPolicy, type Task, task } from "./actions/tasks.ts";
export { type ActionKind, actionKinds, kinds } from "./kinds.ts";

// The spec of a PostgresVDB, part by part.
export { defaultOwnership, ownershipOf, type PostgresVDBSpec } from "./vdb/spec.ts";
export {
  hasNeedlessNamespace,
  type SourceReference,
  type SourceType,
  sourceReference,
  sourceTypes,
  type VdbSource,
} from "./vdb/source.ts";
export { passwordKey, type VdbDatabase } from "./vdb/database.ts";
export { type Hook, type HookStage, hookStages } from "./vdb/hooks.ts";
export { type ScheduleName, type ScheduleStatus, scheduleNames, type VdbSchedules } from "./vdb/schedules.ts";
export { tlsKeys, type VdbTls } from "./vdb/tls.ts";
export { expiryTimeMs, isSwitchedOn, type VdbExpiry } from "./vdb/expiry.ts";
export type { VdbHygiene } from "./vdb/hygiene.ts";
export { ownedLabels, type VdbPodTemplate } from "./vdb/pod-template.ts";
export { holdsAnyway, type PostgresSetting, reservedSettings, valueOfSetting } from "./vdb/settings.ts";
export { leastMemory, leastStorage, type Resources } from "./vdb/resources.ts";

// The spec of an action.
export type { ActionScript, RefreshSnapshotRef, RewindSnapshotRef, SessionScript, VdbRef } from "./actions/spec-fields.ts";

// Status: phases, conditions, reasons, and what always holds of them.
export {
  claimsOf,
  type HookRun,
  type PostgresVDBStatus,
  type VdbContent,
  type VdbHold,
  type VdbPhase,
  vdbPhases,
} from "./vdb/status.ts";
export {
  type ActionPhase,
  type ActionRun,
  type ActionStep,
  refreshPhases,
  rewindPhases,
  snapshotPhases,
  taskPhases,
} from "./actions/status-fields.ts";
export type { ActionPlan } from "./actions/plan-fields.ts";
export { actionPhase, isFinished, vdbPhase } from "./status/phase.ts";
export { type ConditionTable, type VdbConditionType, type VdbReason, vdbConditions } from "./status/vdb-conditions.ts";
export { type ActionConditionType, actionConditions } from "./status/action-conditions.ts";
export { type ActionObject, brokenLaws, type Law, type StatusObject } from "./status/laws.ts";
export { type Kstatus, kstatusOf } from "./status/kstatus.ts";

// What they share.
export type { Condition, ConditionStatus } from "./fields/condition.ts";
export { durationMilliseconds } from "./fields/duration.ts";
export type { SnapshotStatus } from "./fields/snapshot.ts";
export type { ObjectMeta, OwnerReference } from "./object-meta.ts";

// Names, labels and annotations, for operator and driver alike.
export { volumeNameOf, volumeNamePrefix } from "./volume-name.ts";
export { type MetadataKey, pvcAnnotations, safeLabelValue, vdbLabels } from "./labels.ts";
export { annotationsOf, identityIn, labelsOf, type VdbIdentity } from "./vdb/labels-of.ts";

// From a declaration to what Kubernetes and the client take.
export { apiVersionOf, type Kind, type ObjectOf } from "./kind.ts";
export { InvalidObjectError, decode } from "./decode.ts";
export { plainResourceOf, resourceOf } from "./resource.ts";
export { crd, crdName } from "./generate/crd.ts";
