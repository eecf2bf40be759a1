import { deepEqual, equal } from "node:assert/strict";
import { describe, test } from "node:test";
import { type Deployment, deployments, type Pod } from "kube-runtime";
import { aPod, forever, meta, stepBench } from "../step-bench.ts";
import { stopPlan } from "./stop.ts";

const aDeployment = (replicas: number, status: Deployment["status"]): Deployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: meta("orders"),
  spec: { replicas, selector: {}, template: { spec: { containers: [] } } },
  ...(status === undefined ? {} : { status }),
});

interface Row {
  readonly name: string;
  readonly why: string;
  readonly replicas?: number;
  /** What Kubernetes says of the Deployment; that it has none left unless said. */
  readonly status?: Deployment["status"];
  readonly pods?: readonly Pod[];
  readonly want: string;
  readonly writes: readonly string[];
}
const patch = "patch deployments orders";

const rows: readonly Row[] = [
  {
    name: "it runs",
    why: "its pod is asked to go, and waited for",
    replicas: 1,
    pods: [aPod()],
    want: "waiting Stopping",
    writes: [patch],
  },
  { name: "it shuts down", why: "it is asked once", replicas: 0, pods: [aPod()], want: "waiting Stopping", writes: [] },
  { name: "it is down", why: "a run that finds all as it should be writes nothing", replicas: 0, want: "done", writes: [] },
  {
    name: "its pod is not yet made",
    why: "Kubernetes may still make it: a volume that is said to be free must stay so",
    replicas: 1,
    want: "waiting Stopping",
    writes: [patch],
  },
  {
    name: "Kubernetes has not yet seen that none is wanted",
    why: "the same",
    replicas: 0,
    status: { observedGeneration: 0 },
    want: "waiting Stopping",
    writes: [],
  },
  {
    name: "Kubernetes counts a pod that no watch has told of yet",
    why: "the same",
    replicas: 0,
    status: { observedGeneration: 1, replicas: 1 },
    want: "waiting Stopping",
    writes: [],
  },
  { name: "it was never up", why: "nothing is to be stopped", want: "done", writes: [] },
];

describe("stopDatabase", () => {
  for (const { name, why, replicas, status = { observedGeneration: 1 }, pods = [], want, writes } of rows)
    test(name, async () => {
      const deployment = replicas === undefined ? undefined : aDeployment(replicas, status);
      const bench = await stepBench({ pods, ...(deployment === undefined ? {} : { deployment }) });
      if (deployment !== undefined) await bench.client.create(deployments, deployment, forever);
      bench.writes.length = 0;
      const [step] = stopPlan(bench.ctx).steps;
      const end = await step?.run(bench.ctx, forever);
      equal([end?.kind, ...(end?.kind === "done" ? [] : [end?.reason])].join(" "), want, why);
      deepEqual(bench.writes, writes, why);
    });
});
