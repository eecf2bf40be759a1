import type { ContainerStatus, Pod } from "kube-runtime";
import { containerName } from "../names.ts";
import { adviceFor, endOf } from "./crash.ts";
import { stableWords } from "./stable-words.ts";

/**
 * What a database's pod is doing.
 * - ready: its server answers, as the readiness probe finds inside the container. `containerId` is another one after every start.
 * - starting: on its way; `message` says how far, `runningSince` since when its container runs, in milliseconds.
 * - failed: it cannot start by itself. `waitingSince`: since when the kubelet puts off the next try, where a new pod would look
 *   again at once.
 */
export type PodState =
  | { readonly kind: "ready"; readonly containerId: string }
  | { readonly kind: "starting"; readonly message: string; readonly mounting: boolean; readonly runningSince?: number }
  | {
      readonly kind: "failed";
      readonly reason: PodFailure;
      readonly message: string;
      readonly waitingSince: number | undefined;
    };

export type PodFailure =
  | "ImagePullFailed"
  | "Unschedulable"
  | "NotADatabase"
  | "DataAmbiguous"
  | "MajorMismatch"
  | "OwnerMismatch"
  | "ImageWithoutPostgres"
  | "SettingRefused"
  | "Crashing";

/** The scheduler may need a moment for a volume that has just been bound. */
const schedulingSeconds = 3;

/** By its name: a webhook that injects a container into every pod may put it first. */
export const containerStatusOf = (pod: Pod): ContainerStatus | undefined =>
  pod.status?.containerStatuses?.find(({ name }) => name === containerName);

/** Pure: `now` is the wall clock in milliseconds. */
export function podState(pod: Pod, now: number): PodState {
  const status = containerStatusOf(pod);
  if (status === undefined) return unscheduled(pod, now);
  if (status.ready && status.state?.running !== undefined && status.containerID !== undefined)
    return { kind: "ready", containerId: status.containerID };
  return pullFailure(pod, status) ?? ended(pod, status) ?? starting(pod, status);
}

function unscheduled(pod: Pod, now: number): PodState {
  const { name, creationTimestamp } = pod.metadata;
  const scheduled = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  const ageSeconds = (now - Date.parse(creationTimestamp)) / 1000;
  if (scheduled?.status === "False" && ageSeconds > schedulingSeconds)
    return {
      kind: "failed",
      reason: "Unschedulable",
      message: `no node can take pod ${name}: ${scheduled.message ?? "no reason given"}; lower spec.resources.requests, or free CPU or memory`,
      waitingSince: undefined,
    };
  return { kind: "starting", message: `pod ${name} waits for the scheduler`, mounting: false };
}

const pullReasons: ReadonlySet<string> = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "RegistryUnavailable",
  "ImageInspectError",
  "SignatureValidationFailed",
]);

function pullFailure(pod: Pod, { state }: ContainerStatus): PodState | undefined {
  const { reason = "", message = "" } = state?.waiting ?? {};
  if (!pullReasons.has(reason)) return undefined;
  const image = pod.spec.containers.find(({ name }) => name === containerName)?.image ?? "";
  return {
    kind: "failed",
    reason: "ImagePullFailed",
    message: `cannot pull image ${image}: ${stable(message) || reason}; fix spec.image`,
    waitingSince: undefined,
  };
}

/** The kubelet's messages count and time their tries: a condition must not change for that. */
function stable(message: string): string {
  return stableWords(message.replace(/^Back-off pulling image "[^"]*":?\s*/u, "").replace(/^ErrImagePull:\s*/u, ""));
}

const createReasons: ReadonlySet<string> = new Set(["CreateContainerConfigError", "CreateContainerError", "RunContainerError"]);
/** Those that the start script gives. */
export const ownReasons = [
  "NotADatabase",
  "DataAmbiguous",
  "MajorMismatch",
  "OwnerMismatch",
  "ImageWithoutPostgres",
  "SettingRefused",
] as const;

/**
 * A container that has ended and is not running again. The start script tells its reason as `vdb:Reason: message`. Without one
 * it is only failing once the kubelet puts off the next try: a server that ran for days and crashed is back in a second.
 */
function ended({ metadata: { creationTimestamp } }: Pod, { state, lastState }: ContainerStatus): PodState | undefined {
  const waiting = state?.waiting?.reason ?? "";
  if (createReasons.has(waiting))
    return {
      kind: "failed",
      reason: "Crashing",
      message: `cannot create the pod's container: ${stableWords(state?.waiting?.message ?? waiting)}; fix what this names`,
      waitingSince: Date.parse(creationTimestamp),
    };
  const end = state?.running === undefined ? (state?.terminated ?? lastState?.terminated) : undefined;
  if (end === undefined) return undefined;
  const putOff = waiting === "CrashLoopBackOff";
  const waitingSince = putOff ? Date.parse(end.finishedAt ?? creationTimestamp) : undefined;
  const [, own, words = ""] = /^vdb:(\w+): ([\s\S]*)$/u.exec((end.message ?? "").trim()) ?? [];
  const reason = ownReasons.find((one) => one === own);
  if (reason !== undefined) return { kind: "failed", reason, message: words, waitingSince };
  const message = endOf(end);
  if (!putOff) return { kind: "starting", message: `${message}; the kubelet starts it again`, mounting: false };
  return { kind: "failed", reason: "Crashing", message: `${message}; ${adviceFor(end)}`, waitingSince };
}

function starting({ metadata: { name } }: Pod, { state }: ContainerStatus): PodState {
  if (state?.running === undefined) return { kind: "starting", message: `the node sets up pod ${name}`, mounting: true };
  const runningSince = Date.parse(state.running.startedAt ?? "");
  return { kind: "starting", message: `PostgreSQL in pod ${name} is starting`, mounting: false, runningSince };
}
