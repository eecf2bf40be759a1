import type { ActionObject } from "@vdb/api";
import type { DctConnection } from "@vdb/dct";
import type { Cache, Unmet } from "kube-runtime";
import type { OperatorConfig } from "../config.ts";
import type { Caches, PodExec } from "../vdb/world.ts";

/** Everything outside of one action that its steps act through. Handed in, so that a test can be all of it. */
export interface ActionWorld {
  readonly config: Pick<OperatorConfig, "watchNamespace" | "allowCrossNamespace" | "concurrency">;
  readonly caches: Pick<Caches, "vdbs" | "pods">;
  /** One for each kind that is served, with the index `actionsByVdb`. */
  readonly actions: readonly Cache<ActionObject>[];
  readonly exec: PodExec;
  /** Wall clock, in milliseconds. */
  readonly now: () => number;
  readonly dct: Pick<DctConnection, "call">;
  /** What an error of a side other than Kubernetes comes to; undefined for what is none of theirs. */
  readonly explain: (error: unknown) => Unmet | undefined;
}
