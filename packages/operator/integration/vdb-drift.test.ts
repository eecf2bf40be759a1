/** What others do to a database's objects, on a real API server: what is the operator's comes back, what is theirs stays. */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  configMaps,
  type Deployment,
  deployments,
  type KubeObject,
  type PodDisruptionBudget,
  podDisruptionBudgets,
  type Resource,
  type Service,
  services,
} from "kube-runtime";
import { applyVdb, forever, isReady, readyReason, untilVdb, vdbs } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";
import { until } from "./testing/until.ts";

const key = { namespace: "drift", name: "orders" };
const configKey = { ...key, name: "orders-postgres-config" };
const podTemplate = {
  labels: { team: "payments" },
  service: { type: "NodePort", annotations: { "example.com/dashboard": "payments" } },
  podDisruptionBudget: { maxUnavailable: 0 },
};
const contentLabel = "postgresvdb.core.delphix.com/content";

describe("a database's objects that others change", { timeout: 300_000 }, () => {
  const stage = setStage("drift");
  const untilIt = async <T extends KubeObject>(
    what: string,
    resource: Resource<T>,
    holds: (object: T) => boolean,
    { name } = key,
  ): Promise<T> =>
    await until(what, async () => {
      const found = await stage.client.find(resource, { namespace: "drift", name }, forever);
      return found !== undefined && holds(found) ? found : undefined;
    });
  const change = async (resource: Resource, patch: object, name = key.name): Promise<void> =>
    void (await stage.client.patch(resource, { namespace: "drift", name }, patch, forever, { fieldManager: "somebody" }));

  before(async () => {
    await stage.readyDatabase("drift", { podTemplate });
  });

  test("what is deleted comes back, and the database is Ready again", async () => {
    const resources: [Resource, string][] = [
      [services, key.name],
      [podDisruptionBudgets, key.name],
      [configMaps, configKey.name],
      [deployments, key.name],
    ];
    for (const [resource, name] of resources) {
      const { uid } = (await stage.client.get(resource, { namespace: "drift", name }, forever)).metadata;
      await stage.client.delete(resource, { namespace: "drift", name }, forever);
      await untilIt(`${resource.kind} is back`, resource, ({ metadata }) => metadata.uid !== uid, { ...key, name });
      await untilVdb(stage.client, "drift", "orders", isReady);
    }
    const { spec } = await untilIt(
      "clients are let in",
      services,
      ({ spec: { selector } }) => ![undefined, "none"].includes(selector?.[contentLabel]),
    );
    equal(spec.type, "NodePort");
  });

  test("what is edited comes back, and foreign fields stay", async () => {
    const annotations = { "example.com/foreign": "x" };
    const labels = { "app.kubernetes.io/name": "another" };
    const former = await stage.client.get(services, key, forever);
    await change(services, {
      metadata: { annotations: { ...annotations, "example.com/dashboard": "another" }, labels },
      spec: { type: "ClusterIP", selector: { app: "another" }, sessionAffinity: "ClientIP" },
    });
    const service = await untilIt<Service>(
      "the Service is as before",
      services,
      ({ spec, metadata }) => spec.type === "NodePort" && metadata.labels?.["app.kubernetes.io/name"] === "postgresvdb",
    );
    deepEqual(
      [service.spec.selector, service.metadata.annotations?.["example.com/dashboard"]],
      [former.spec.selector, "payments"],
    );
    deepEqual([service.spec.sessionAffinity, service.metadata.annotations?.["example.com/foreign"]], ["ClientIP", "x"]);

    await change(podDisruptionBudgets, { metadata: { annotations }, spec: { maxUnavailable: 1 } });
    const budget = await untilIt<PodDisruptionBudget>(
      "the budget is as before",
      podDisruptionBudgets,
      ({ spec }) => spec.maxUnavailable === 0,
    );
    equal(budget.metadata.annotations?.["example.com/foreign"], "x");

    await change(configMaps, { data: { "pg_hba.conf": "host all all all trust", foreign: "x" } }, configKey.name);
    const config = await untilIt(
      "the ConfigMap is as before",
      configMaps,
      ({ data }) => data?.["pg_hba.conf"]?.includes("scram-sha-256") === true,
      configKey,
    );
    equal(config.data?.["foreign"], "x");
  });

  test("an edited Deployment is as before; a sidecar, a foreign annotation and what injects them stay", async () => {
    const sidecar = { name: "exporter", image: "exporter:1" };
    await change(deployments, { metadata: { labels: { "app.kubernetes.io/name": "another" } } });
    await untilIt(
      "the label is back",
      deployments,
      ({ metadata }) => metadata.labels?.["app.kubernetes.io/name"] === "postgresvdb",
    );
    const theirs = {
      metadata: { name: "orders", namespace: "drift" },
      spec: { template: { metadata: { annotations: { injected: "yes" } }, spec: { containers: [sidecar] } } },
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a part of a Deployment, as apply takes it
    await stage.client.apply(deployments, theirs as never, { fieldManager: "injector", force: false }, forever);
    await stage.client.patch(deployments, key, { spec: { replicas: 0 } }, forever, { fieldManager: "somebody" });
    const { spec, metadata } = await untilIt<Deployment>(
      "the Deployment is as before",
      deployments,
      (one) => one.spec.replicas === 1,
    );
    deepEqual(spec.template.spec.containers.map(({ name }) => name).toSorted(), ["exporter", "postgres"]);
    equal(spec.template.metadata?.annotations?.["injected"], "yes");
    equal(spec.template.metadata?.labels?.["team"], "payments");
    await untilVdb(stage.client, "drift", "orders", isReady);
    await change(vdbs, { metadata: { labels: { look: "again" } } });
    await untilVdb(stage.client, "drift", "orders", ({ metadata: { labels } }) => labels?.["look"] === "again");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const later = await stage.client.get(deployments, key, forever);
    equal(later.metadata.generation, metadata.generation, "nobody fights over it");
  });

  test("Service and budget change without a new pod, what goes from the manifest goes from them; a label takes a new pod", async () => {
    const pod = await stage.podNames("drift");
    await applyVdb(stage.client, "drift", "orders", {
      podTemplate: { labels: podTemplate.labels, service: { type: "ClusterIP" } },
    });
    const service = await untilIt("it is a ClusterIP", services, ({ spec }) => spec.type === "ClusterIP");
    deepEqual(
      [service.metadata.annotations?.["example.com/dashboard"], service.metadata.annotations?.["example.com/foreign"]],
      [undefined, "x"],
    );
    await until("the budget is gone", async () =>
      (await stage.client.find(podDisruptionBudgets, key, forever)) === undefined ? true : undefined,
    );
    await untilVdb(stage.client, "drift", "orders", isReady);
    equal(await stage.podNames("drift"), pod);
    await applyVdb(stage.client, "drift", "orders", { podTemplate: { labels: { team: "orders" } } });
    await untilIt("the label is there", deployments, ({ spec }) => spec.template.metadata?.labels?.["team"] === "orders");
    await until("another pod", async () => ((await stage.podNames("drift")) === pod ? undefined : true));
    await untilVdb(stage.client, "drift", "orders", isReady);
    notEqual(await stage.podNames("drift"), pod);
  });

  test("an affinity that the API server refuses is told, and the pod runs on", async () => {
    const pod = await stage.podNames("drift");
    const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } };
    await applyVdb(stage.client, "drift", "orders", { podTemplate: { labels: { team: "orders" }, affinity } });
    const { status } = await untilVdb(stage.client, "drift", "orders", (vdb) => readyReason(vdb) === "Invalid");
    match(status.lastError ?? "", /spec\.template\.spec\.affinity\.nodeAffinity/u);
    equal(await stage.podNames("drift"), pod);
    await applyVdb(stage.client, "drift", "orders", {
      podTemplate: { labels: { team: "orders" }, affinity: { nodeAfinity: {} } },
    });
    await untilVdb(stage.client, "drift", "orders", (vdb) => (vdb.status.lastError ?? "").includes("nodeAfinity"));
    await applyVdb(stage.client, "drift", "orders", { podTemplate: { labels: { team: "orders" } } });
    await untilVdb(stage.client, "drift", "orders", isReady);
  });

  test("a PodDisruptionBudget of another owner under that name is left alone", async () => {
    const spec = { maxUnavailable: 1, selector: { matchLabels: { app: "another" } } };
    await stage.client.create(podDisruptionBudgets, { metadata: key, spec }, forever);
    await applyVdb(stage.client, "drift", "orders", { podTemplate });
    await untilVdb(stage.client, "drift", "orders", (vdb) => readyReason(vdb) === "NameTaken");
    equal((await stage.client.get(podDisruptionBudgets, key, forever)).spec.maxUnavailable, 1);
    await stage.client.delete(podDisruptionBudgets, key, forever);
    await untilVdb(stage.client, "drift", "orders", isReady, 60);
  });
});
