import type { Deployment, Pod } from "kube-runtime";
import { type PodState, podState } from "./diagnose/pod-state.ts";
import { contentLabel } from "./names.ts";

/** What the Deployment and its pods amount to. */
export type DeploymentPlan =
  | { readonly kind: "ready"; readonly pod: Pod }
  | { readonly kind: "starting"; readonly pod: Pod | undefined; readonly message: string; readonly mounting: boolean }
  | { readonly kind: "failed"; readonly pod: Pod; readonly state: Extract<PodState, { kind: "failed" }> }
  | { readonly kind: "refused"; readonly message: string };

/** Pure. Only a pod of the present template and the present content counts: an older one is about to go. */
export function decideDeployment(deployment: Deployment, pods: readonly Pod[], contentId: string, now: number): DeploymentPlan {
  const { metadata, status } = deployment;
  if (status?.observedGeneration !== metadata.generation) return starting("the pod is being made");
  const refusal = status?.conditions?.find(({ type, status: is }) => type === "ReplicaFailure" && is === "True");
  if (refusal !== undefined)
    return { kind: "refused", message: `the pod is not let in: ${refusal.message ?? refusal.reason ?? "no reason given"}` };
  const pod = presentPod(pods, contentId);
  if (pod === undefined) return starting(pods.length > 0 ? "the former pod is being ended" : "the pod is being made");
  const state = podState(pod, now);
  switch (state.kind) {
    case "ready":
      return status?.updatedReplicas === 1 ? { kind: "ready", pod } : starting("the former pod is being ended");
    case "starting":
      return starting(state.message, pod, state.mounting);
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

const starting = (message: string, pod?: Pod, mounting = false): DeploymentPlan => ({ kind: "starting", pod, message, mounting });
