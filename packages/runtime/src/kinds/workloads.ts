import type { KubeObject } from "../objects/object.ts";
import { defineResource } from "../objects/resource.ts";
import type { PodTemplate, StatusCondition } from "./pod.ts";

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
    readonly values?: readonly string[];
  }[];
}

export interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: LabelSelector;
    readonly template: PodTemplate;
    readonly strategy?: {
      readonly type: "Recreate" | "RollingUpdate";
      readonly rollingUpdate?: { readonly maxSurge?: number | string; readonly maxUnavailable?: number | string } | null;
    };
    readonly minReadySeconds?: number;
    readonly progressDeadlineSeconds?: number;
    readonly revisionHistoryLimit?: number;
    readonly paused?: boolean;
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly unavailableReplicas?: number;
    readonly conditions?: readonly StatusCondition[];
  };
}

export interface ReplicaSet extends KubeObject {
  readonly spec: { readonly replicas?: number; readonly selector: LabelSelector; readonly template?: PodTemplate };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly conditions?: readonly StatusCondition[];
  };
}

export interface StatefulSet extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly serviceName?: string;
    readonly selector: LabelSelector;
    readonly template: PodTemplate;
    readonly podManagementPolicy?: "OrderedReady" | "Parallel";
  };
  readonly status?: { readonly observedGeneration?: number; readonly replicas?: number; readonly readyReplicas?: number };
}

export interface PodDisruptionBudget extends KubeObject {
  readonly spec: {
    readonly selector: LabelSelector;
    readonly minAvailable?: number | string;
    readonly maxUnavailable?: number | string;
    readonly unhealthyPodEvictionPolicy?: "IfHealthyBudget" | "AlwaysAllow";
  };
}

const apps = { group: "apps", version: "v1", namespaced: true } as const;
export const deployments = defineResource<Deployment>({ ...apps, kind: "Deployment", plural: "deployments" });
export const replicaSets = defineResource<ReplicaSet>({ ...apps, kind: "ReplicaSet", plural: "replicasets" });
export const statefulSets = defineResource<StatefulSet>({ ...apps, kind: "StatefulSet", plural: "statefulsets" });
export const podDisruptionBudgets = defineResource<PodDisruptionBudget>({
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  namespaced: true,
});
