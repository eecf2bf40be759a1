import type { ActionObject } from "@vdb/api";
import type { Cache } from "kube-runtime";
import type { OperatorConfig } from "../config.ts";
import type { DataSources } from "../data/source.ts";
import type { Caches, PodExec } from "../vdb/world.ts";
import type { Arrivals } from "./arrivals.ts";

/** Everything outside of one action that its steps act through. Handed in, so that a test can be all of it. */
export interface ActionWorld {
  readonly config: Pick<OperatorConfig, "watchNamespaces" | "allowCrossNamespace" | "concurrency">;
  readonly caches: Pick<Caches, "vdbs" | "pods">;
  /** One for each kind that is served, with the index `actionsByVdb`. */
  readonly actions: readonly Cache<ActionObject>[];
  readonly arrivals: Arrivals;
  readonly exec: PodExec;
  /** Wall clock, in milliseconds. */
  readonly now: () => number;
  /** Where a database's data is, and what an error of that side comes to. */
  readonly sources: Pick<DataSources, "holding" | "explain">;
}
