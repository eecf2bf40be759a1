/** A database's pod, Service and disruption budget as podTemplate says, on a real scheduler and a real kubelet. */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, type Json, psqlOnceReached, testCluster, text } from "@vdb/cluster";
import { livePods, podsOf } from "./pods.ts";
import { applyVdb, condition, deleteVdb, makePasswordSecret, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const namespace = "pg-operator";
const vdb = { name: "placed", namespace };
const priority = {
  apiVersion: "scheduling.k8s.io/v1",
  kind: "PriorityClass",
  metadata: { name: "placed-databases" },
  value: 4711,
};
const affinity = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "Exists" }] }],
    },
  },
};
const podTemplate = {
  labels: { team: "payments" },
  annotations: { "example.com/owner": "Payments" },
  nodeSelector: { "kubernetes.io/os": "linux" },
  tolerations: [{ key: "dedicated", value: "databases", effect: "NoSchedule" }],
  affinity,
  priorityClassName: "placed-databases",
  service: { type: "NodePort", annotations: { "example.com/dashboard": "payments" } },
  podDisruptionBudget: { maxUnavailable: 0 },
};

/** The one that runs. */
async function podOf(): Promise<Json> {
  return await eventually("the pod runs", 120, async () => {
    const found = (await livePods(kubectl, podsOf(vdb))).find((pod) => text(pod, "status", "podIP") !== "");
    if (found === undefined) throw new Error("there is none");
    return found;
  });
}

async function evict(pod: string): Promise<string> {
  const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`;
  const { exitCode, stderr } = await kubectl.try(["create", "--raw", path, "-f", "-"], { input: JSON.stringify(eviction) });
  return exitCode === 0 ? "evicted" : stderr;
}

/** From a pod, over the node's address. */
async function answersAt(host: string, port: string, password: string): Promise<string> {
  const connection = `host=${host} port=${port} user=postgres dbname=postgres connect_timeout=10`;
  const { stdout, stderr } = await psqlOnceReached(kubectl, connection, password, "SELECT 'here'");
  return (stdout || stderr).trim();
}

describe("podTemplate", { timeout: 480_000 }, () => {
  let password = "";
  let first = "";
  before(async () => {
    await kubectl.apply(JSON.stringify(priority));
    password = await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, { ...vdb, spec: { podTemplate } });
    await waitForPhase(kubectl, vdb, "Ready");
  });
  after(async () => {
    await deleteVdb(kubectl, vdb);
    await kubectl.run(["delete", "priorityclass", "placed-databases", "--ignore-not-found"]);
  });

  test("the pod is labelled and placed so, and its Service answers on the node", async () => {
    const pod = await podOf();
    first = text(pod, "metadata", "name");
    deepEqual(
      [
        text(pod, "metadata", "labels", "team"),
        text(pod, "metadata", "annotations", "example.com/owner"),
        text(pod, "spec", "priority"),
        text(pod, "spec", "nodeSelector", "kubernetes.io/os"),
        text(pod, "spec", "tolerations", 0, "key"),
      ],
      ["payments", "Payments", "4711", "linux", "dedicated"],
    );
    const service = await kubectl.get("service", vdb.name, namespace);
    equal(text(service, "metadata", "annotations", "example.com/dashboard"), "payments");
    const nodePort = text(service, "spec", "ports", 0, "nodePort");
    equal(await answersAt(text(pod, "status", "hostIP"), nodePort, password), "here");
  });

  test("its budget refuses the eviction; a change of budget and Service leaves the pod alone, and then it may go", async () => {
    await eventually("the budget is counted", 60, async () => {
      const budget = await kubectl.get("poddisruptionbudget", vdb.name, namespace);
      if (text(budget, "status", "expectedPods") === "1") return true;
      throw new Error(text(budget, "status"));
    });
    match(await evict(first), /disruption budget/u);
    const { service: _, ...rest } = podTemplate;
    await applyVdb(kubectl, { ...vdb, spec: { podTemplate: { ...rest, podDisruptionBudget: { maxUnavailable: 1 } } } });
    await eventually("budget and Service have changed", 60, async () => {
      const service = await kubectl.get("service", vdb.name, namespace);
      const budget = await kubectl.get("poddisruptionbudget", vdb.name, namespace);
      const found = [
        text(service, "spec", "type"),
        text(service, "spec", "ports", 0, "nodePort"),
        text(budget, "spec", "maxUnavailable"),
      ];
      if (found.join() === "ClusterIP,,1") return true;
      throw new Error(found.join());
    });
    equal(text(await podOf(), "metadata", "name"), first);
    await eventually("the pod may go", 60, async () => {
      const said = await evict(first);
      if (said === "evicted") return true;
      throw new Error(said);
    });
    await eventually("another pod is Ready", 120, async () => {
      const pod = await podOf();
      notEqual(text(pod, "metadata", "name"), first);
      equal(text(await kubectl.get("postgresvdb", vdb.name, namespace), "status", "phase"), "Ready");
      return true;
    });
  });

  test("a node that there is not is told in the scheduler's words, and a correction brings the database back", async () => {
    const { service: _, podDisruptionBudget: __, ...rest } = podTemplate;
    await applyVdb(kubectl, { ...vdb, spec: { podTemplate: { ...rest, nodeSelector: { disk: "none-has-it" } } } });
    await eventually("it is told", 120, async () => {
      const { reason = "", message = "" } =
        condition((await kubectl.get("postgresvdb", vdb.name, namespace)) ?? {}, "Deployed") ?? {};
      equal(reason, "Unschedulable");
      match(message, /node/u);
      return true;
    });
    await applyVdb(kubectl, { ...vdb, spec: { podTemplate: rest } });
    await waitForPhase(kubectl, vdb, "Ready");
    equal(text(await podOf(), "metadata", "labels", "team"), "payments");
  });
});
