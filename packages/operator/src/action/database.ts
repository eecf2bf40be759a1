import type { PostgresVDB } from "@vdb/api";
import type { Pod } from "kube-runtime";
import { contentIdOf, contentLabel } from "../vdb/names.ts";
import { podState } from "../vdb/pod/pod-state.ts";
import { type ActionContext, podsOf } from "./context.ts";

/** Pure: whether clients are let in to the present data. What was opened stays so, whatever becomes of its pod. */
export const isOpen = ({ status }: Pick<PostgresVDB, "status">): boolean => status.content?.openedTime !== undefined;

/** The pod that runs the present data and answers; undefined while there is none. */
export function answeringPod(ctx: Pick<ActionContext, "world" | "run">, vdb: PostgresVDB): Pod | undefined {
  return podsOf(ctx, vdb).find(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined &&
      pod.metadata.labels?.[contentLabel] === contentIdOf(vdb) &&
      podState(pod, ctx.run.clock.now()).kind === "ready",
  );
}
