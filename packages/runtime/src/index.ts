/**
 * A controller runtime for Kubernetes operators in TypeScript. This file is its map; `../README.md` has a complete controller.
 *
 * From the outside in: a `Manager` holds caches and controllers; a kind is run by the skeleton (`ControlledKind`, steps,
 * outcomes); the client and caches speak to the API server; the `Api` below them is the seam that tests take hold of.
 */

// The manager: everything of one process.
export { createManager } from "./manager/create-manager.ts";
export type {
  ControllerOptions,
  LeaderElectionOptions,
  Manager,
  ManagerOptions,
  ReconcileRequest,
  ReconcileResult,
  Reconciler,
} from "./manager/manager.ts";

// Helpers for those who bring their own controllers.
export { createEventRecorder, type EventRecorder, type RecordedEvent, type RecorderParts } from "./events/recorder.ts";
export { createElection, type Election, type ElectionParts, LeadershipLostError } from "./leader/election.ts";
export { createFence, type Fence, fencedApi } from "./leader/fence.ts";
export { createMetrics } from "./metrics/create-metrics.ts";
export type { Counter, Gauge, Histogram, LabelValues, Metrics } from "./metrics/metrics.ts";
export { addFinalizer, hasFinalizer, removeFinalizer } from "./controller/finalizer.ts";

// A kind, its steps and their journal.
export { inOrder, type Sequence } from "./controller/in-order.ts";
export type { CleanUp, ConditionRow, ControlledKind, FindingStep, Plan, Run, RunResult, Step, Steps } from "./controller/kind.ts";
export {
  type Again,
  after,
  type Done,
  type DoneOptions,
  done,
  type Finding,
  type Outcome,
  retry,
  terminal,
  type Unmet,
  waiting,
} from "./controller/outcome.ts";
export type { BackOff } from "./controller/look-again.ts";
export { endingSummary, readySummary } from "./controller/summary.ts";
export {
  beginsNothing,
  createJournal,
  type Journal,
  type Journalled,
  type JournalEntry,
  type JournalOptions,
  type JournalRun,
  type JournalStep,
  journalPhase,
} from "./controller/journal.ts";
export { mapped, owned, type Trigger } from "./controller/watches.ts";

// Commands in pods.
export { type ExecRequest, type ExecResult, type ExecSession, execInPod, openExec } from "./exec/exec.ts";

// Caches.
export type { Cache, CacheEvent, CacheOptions, IndexFunction } from "./cache/cache.ts";
export { joinCaches } from "./cache/join-caches.ts";

// The client, and what it stands on.
export type {
  ApplyOptions,
  Client,
  DeleteOptions,
  MetadataOnly,
  ObjectList,
  Selection,
  SubresourceRequest,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "./client/client.ts";
export { type ClientOptions, createClient } from "./client/create-client.ts";
export type { Api, ApiCall, Verb } from "./client/api.ts";
export { ApiError, type ApiErrorKind, type ApiFailure, type FieldCause, isApiError } from "./client/api-error.ts";
export { type HttpApi, type HttpApiOptions, httpApi } from "./client/http-api.ts";
export type { LinkTimes } from "./http/connection-link.ts";
export { type Interceptor, interceptApi } from "./client/intercept.ts";
export type { Connection, ConnectionOptions, TlsSettings } from "./connection/connection.ts";
export { kubeconfigConnection } from "./connection/kubeconfig.ts";
export { loadConnection } from "./connection/load-connection.ts";
export { inClusterConnection, type PodEnvironment } from "./connection/in-cluster.ts";
export { tokenConnection } from "./connection/token-connection.ts";

// Objects.
export {
  type Condition,
  type ControlledStatus,
  type Draft,
  type KubeObject,
  keyOf,
  type Manifest,
  type ManifestMeta,
  type MergePatch,
  nameOfKey,
  type ObjectKey,
  type ObjectMeta,
  type ObjectWithStatus,
  type OwnerReference,
  parseKey,
} from "./objects/object.ts";
export { apiVersionOf, defineResource, type Resource, resourceName } from "./objects/resource.ts";
export { compareResourceVersions } from "./objects/resource-version.ts";
export { controllerOf, controllerReference, isControlledBy } from "./objects/owner.ts";
export { type ConditionValue, findCondition, isTrue, stampCondition } from "./objects/conditions.ts";

// Kinds of Kubernetes that operators work with.
export {
  type ConfigMap,
  configMaps,
  type Namespace,
  type Node,
  namespaces,
  nodes,
  type Secret,
  type Service,
  type ServiceAccount,
  type ServicePort,
  secrets,
  secretText,
  serviceAccounts,
  services,
} from "./kinds/core.ts";
export {
  type Container,
  type ContainerState,
  type ContainerStatus,
  type EnvVar,
  type Pod,
  type PodSecurityContext,
  type PodSpec,
  type PodStatus,
  type PodTemplate,
  type Probe,
  pods,
  type SeccompProfile,
  type SecurityContext,
  type StatusCondition,
} from "./kinds/pod.ts";
export {
  type Deployment,
  deployments,
  type LabelSelector,
  type PodDisruptionBudget,
  podDisruptionBudgets,
  type ReplicaSet,
  replicaSets,
  type StatefulSet,
  statefulSets,
} from "./kinds/workloads.ts";
export {
  type AccessMode,
  type KeyToPath,
  type ObjectReferenceInNamespace,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  type ResourceList,
  type ResourceRequirements,
  type Volume,
  type VolumeMount,
} from "./kinds/volumes.ts";
export {
  type CustomResourceDefinition,
  customResourceDefinitions,
  type Event,
  events,
  type Lease,
  leases,
  type ObjectReference,
  type StorageClass,
  storageClasses,
  type VolumeAttachment,
  volumeAttachments,
} from "./kinds/cluster.ts";

// Support that is handed in everywhere.
export { type Clock, type Random, systemClock, timestamp } from "./support/clock.ts";
export { errorMessage } from "./support/error-message.ts";
export { given, oneOf, portNumber, wholeNumber } from "./support/flags.ts";
export { createLog, type Log, type LogLevel, type LogOptions, logLevels, silentLog } from "./support/log.ts";
export { together } from "./support/together.ts";
