import type { PostgresVDB } from "@vdb/api";
import type { Manifest, PodDisruptionBudget } from "kube-runtime";
import { childLabels, ownerOf } from "../names.ts";
import { podSelector } from "./deployment.ts";

/** What the manifest says of evictions of the pod; undefined: nothing. A pod that is not ready never keeps a node from draining. */
export function desiredDisruptionBudget(vdb: PostgresVDB): Manifest<PodDisruptionBudget> | undefined {
  const { name, namespace } = vdb.metadata;
  const { podDisruptionBudget } = vdb.spec.podTemplate ?? {};
  if (podDisruptionBudget === undefined) return undefined;
  return {
    metadata: { name, namespace, labels: childLabels(vdb), ownerReferences: ownerOf(vdb) },
    spec: {
      selector: { matchLabels: podSelector(vdb) },
      maxUnavailable: podDisruptionBudget.maxUnavailable,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    },
  };
}
