import type { Condition, Deployment, Pod } from "kube-runtime";
import { contentLabel } from "../names.ts";
import { ownReasons, type PodFailure, type PodState, podState } from "../pod/pod-state.ts";
import { stableWords } from "../pod/stable-words.ts";

/** What the Deployment and its pods amount to. */
export type DeploymentPlan =
  | { readonly kind: "ready"; readonly pod: Pod }
  | (Omit<Extract<PodState, { kind: "starting" }>, "kind"> & { readonly kind: "starting"; readonly pod: Pod | undefined })
  | { readonly kind: "failed"; readonly pod: Pod; readonly state: Extract<PodState, { kind: "failed" }> }
  | { readonly kind: "refused"; readonly message: string };

/** Pure. Only a pod of the present template and the present content counts: an older one is about to go. */
export function decideDeployment(deployment: Deployment, pods: readonly Pod[], contentId: string, now: number): DeploymentPlan {
  const { metadata, status } = deployment;
  if (status?.observedGeneration !== metadata.generation) return starting("Kubernetes creates the pod");
  const refusal = status?.conditions?.find(({ type, status: is }) => type === "ReplicaFailure" && is === "True");
  if (refusal !== undefined)
    return { kind: "refused", message: `the cluster refuses the pod: ${refusalWords(refusal)}; fix what this names` };
  const pod = presentPod(pods, contentId);
  if (pod === undefined) return starting(pods.length > 0 ? "the previous pod ends" : "Kubernetes creates the pod");
  const state = podState(pod, now);
  switch (state.kind) {
    case "ready":
      return status?.updatedReplicas === 1 ? { kind: "ready", pod } : starting("the previous pod ends");
    case "starting":
      return { ...state, pod };
    case "failed":
      return { kind: "failed", pod, state };
    default:
      return state satisfies never;
  }
}

/** The newest pod of this content that is not ending. */
export function presentPod(pods: readonly Pod[], contentId: string): Pod | undefined {
  return pods
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined && metadata.labels?.[contentLabel] === contentId)
    .toSorted((a, b) => Date.parse(b.metadata.creationTimestamp) - Date.parse(a.metadata.creationTimestamp))[0];
}

const starting = (message: string): DeploymentPlan => ({ kind: "starting", pod: undefined, message, mounting: false });

/** Without the pod's name, which is another with each try. */
const refusalWords = ({ message, reason = "no reason given" }: { readonly message?: string; readonly reason?: string }): string =>
  stableWords((message ?? reason).replace(/\bpods? "[^"]+"/gu, "the pod"));

/** What a pod ends with again and again: the start script's reasons, and PostgreSQL's own end. */
const lasting: ReadonlySet<string> = new Set<PodFailure>([...ownReasons, "Crashing"]);

type LastingFailure = Condition & { readonly reason: PodFailure };
const isLasting = (deployed: Condition): deployed is LastingFailure =>
  deployed.status === "False" && lasting.has(deployed.reason);

/** Longer than the start script takes to find a reason. */
const provenSeconds = 5;

/**
 * Pure: the failure that a starting pod has not disproved yet. Without it each try would look like a fresh start, and the
 * database would seem to come up every few seconds. A changed manifest clears it.
 */
export function undisproved(
  { runningSince }: { readonly runningSince?: number },
  deployed: Condition | undefined,
  generation: number | undefined,
  now: number,
): LastingFailure | undefined {
  if (deployed === undefined || !isLasting(deployed) || deployed.observedGeneration !== generation) return undefined;
  return runningSince === undefined || now - runningSince < provenSeconds * 1000 ? deployed : undefined;
}
