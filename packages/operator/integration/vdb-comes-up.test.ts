/** How a PostgresVDB comes up: its phases, its objects, and what it says of a manifest. */
import { deepEqual, equal, match } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import type { PostgresVDB } from "@vdb/api";
import { configMaps, deployments, findCondition, isTrue, persistentVolumeClaims, pods, secrets, services } from "kube-runtime";
import { selects } from "../src/vdb/testing.ts";
import { applyVdb, forever, isReady, makePassword, newNamespace, readyReason, untilVdb, vdbs } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";
import { until } from "./testing/until.ts";

const messageOf = (vdb: PostgresVDB, type: string): string => findCondition(vdb.status.conditions, type)?.message ?? "";

const hasJq = spawnSync("jq", ["--version"]).status === 0;

describe("a PostgresVDB that comes up", { timeout: 480_000 }, () => {
  const stage = setStage("life");
  const { place, play } = stage;

  test("comes up by the documented phases, and has what the documentation says", async () => {
    await place("life");
    const { resourceVersion } = await stage.client.list(vdbs, { namespace: "life" }, forever);
    await applyVdb(stage.client, "life", "orders", { port: 5493, postgresConfig: [{ name: "work_mem", value: "7MB" }] });
    const vdb = await untilVdb(stage.client, "life", "orders", isReady);
    // A watch shows every phase that was ever stored; looks in between would miss the short ones.
    const phases: string[] = [];
    for await (const event of stage.client.watch(vdbs, { namespace: "life", resourceVersion }, forever)) {
      if (event.type === "bookmark" || event.object.status.phase === phases.at(-1)) continue;
      phases.push(event.object.status.phase);
      if (phases.at(-1) === "Ready") break;
    }
    deepEqual(phases, ["Pending", "Provisioning", "Configuring", "Deploying", "Ready"]);
    const {
      pvcName = "",
      content: { id: contentId = "", openedTime = "" } = {},
      delphixID,
      delphixVDB,
      endpoint,
      dataTimestamp,
    } = vdb.status;
    match(pvcName, new RegExp(`^orders-${contentId.slice(0, 6)}$`, "u"));
    match(openedTime, /^\d{4}-/u);
    equal(endpoint, "orders.life.svc:5493");
    equal(dataTimestamp, "2026-01-01T00:00:00Z");
    deepEqual(vdb.metadata.labels, {
      sourceDBName: "production",
      sourceRef: "production",
      vdbGroupName: "Untitled",
      envName: "dev-env",
      engineName: "delphix-engine",
    });
    const claim = await stage.client.get(persistentVolumeClaims, { namespace: "life", name: pvcName }, forever);
    deepEqual(claim.metadata.annotations, {
      ...claim.metadata.annotations,
      vdbGroupName: "Untitled",
      envName: "dev-env",
      engineName: "delphix-engine",
      sourceDBName: "production",
      vdbStageMountpath: "/mnt/postgres",
      ownershipSpec: "999:999",
      "delphix.com/created": "true",
    });
    equal(claim.spec.resources?.requests?.["storage"], "4Gi", "the source's 3 GiB and a byte, rounded up");
    equal(delphixVDB, `dlpx-${claim.metadata.uid}`);
    equal(delphixID, `vdb-of-${pvcName}`);
    const service = await stage.client.get(services, { namespace: "life", name: "orders" }, forever);
    const [pod] = (await stage.client.list(pods, { namespace: "life" }, forever)).items;
    equal(selects(service.spec.selector, pod?.metadata.labels), true, "an open gate leads to the pod");
  });

  test("the documented jq filters find its claim by the annotations", {
    skip: hasJq ? false : "jq is not installed",
  }, async () => {
    const { pvcName = "" } = (await stage.client.get(vdbs, { namespace: "life", name: "orders" }, forever)).status;
    const other = {
      accessModes: ["ReadWriteOnce" as const],
      resources: { requests: { storage: "1Gi" } },
      storageClassName: "none",
    };
    const annotations = { vdbGroupName: "another", envName: "another", engineName: "another" };
    for (const metadata of [
      { namespace: "life", name: "theirs", annotations },
      { namespace: "life", name: "plain" },
    ])
      await stage.client.create(persistentVolumeClaims, { metadata, spec: other }, forever);
    const input = JSON.stringify(await stage.client.list(persistentVolumeClaims, {}, forever));
    const found = (key: string, value: string): string => {
      const filter = `.items[] | select(.metadata.annotations.${key}=="${value}") | .metadata.name`;
      const { stdout, stderr } = spawnSync("jq", [filter], { input, encoding: "utf8" });
      equal(stderr, "");
      return stdout;
    };
    for (const [key, value] of [
      ["vdbGroupName", "Untitled"],
      ["envName", "dev-env"],
      ["engineName", "delphix-engine"],
    ] as const)
      deepEqual([found(key, value), found(key, "another")], [`"${pvcName}"\n`, '"theirs"\n'], key);
    for (const name of ["theirs", "plain"])
      await stage.client.delete(persistentVolumeClaims, { namespace: "life", name }, forever);
  });

  test("ready, another look writes nothing", async () => {
    const key = { namespace: "life", name: "orders" };
    const versions = async () =>
      await Promise.all([
        stage.client.get(vdbs, key, forever),
        stage.client.get(deployments, key, forever),
        stage.client.get(services, key, forever),
        stage.client.get(configMaps, { namespace: "life", name: "orders-postgres-config" }, forever),
      ]).then((all) => all.map(({ metadata }) => metadata.resourceVersion));
    await until("it settles", async () => {
      const one = await versions();
      await new Promise((resolve) => setTimeout(resolve, 500));
      return (await versions()).join() === one.join() ? true : undefined;
    });
    const settled = await versions();
    const execs = stage.operator.execs.length;
    // Another label on the claim wakes the reconcile.
    const name = (await stage.client.get(vdbs, key, forever)).status.pvcName ?? "";
    await stage.client.patch(
      persistentVolumeClaims,
      { namespace: "life", name },
      { metadata: { labels: { touched: "yes" } } },
      forever,
    );
    await new Promise((resolve) => setTimeout(resolve, 700));
    deepEqual(await versions(), settled);
    equal(stage.operator.execs.length, execs, "nor is anything run in the pod");
  });

  test("the database runs under the restricted profile", async () => {
    const { spec } = await stage.client.get(deployments, { namespace: "life", name: "orders" }, forever);
    const pod = spec.template.spec;
    equal(pod.automountServiceAccountToken, false);
    deepEqual(pod.securityContext, {
      runAsUser: 999,
      runAsGroup: 999,
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    deepEqual(pod.containers[0]?.securityContext?.capabilities, { drop: ["ALL"] });
    equal(spec.strategy?.type, "Recreate");
  });

  test("a manifest of the vendor's build is taken where it means what holds anyway, and says so", async () => {
    await place("vendor");
    const source = { type: "dct-source", reference: "delphix-engine:production", namespace: "vendor" };
    const postgresConfig = [
      { name: "listen_addresses", value: "'*'" },
      { name: "port", value: "5432" },
      { name: "work_mem", value: "'9MB'" },
    ];
    const resources = { requests: { cpu: 0.25, memory: "256Mi" }, limits: { cpu: 2, memory: 1_073_741_824 } };
    await applyVdb(stage.client, "vendor", "orders", { source, postgresConfig, resources });
    const vdb = await untilVdb(stage.client, "vendor", "orders", isReady);
    const accepted = findCondition(vdb.status.conditions, "Accepted");
    equal(accepted?.reason, "Adjusted");
    equal(
      accepted.message,
      "not needed in spec.postgresConfig, because it holds anyway: listen_addresses, port; " +
        "the operator removes the quotes inside the value of listen_addresses, work_mem; " +
        "spec.source.namespace is not needed: it is this PostgresVDB's own",
    );
    match(messageOf(vdb, "Ready"), /^clients can connect to orders\.vendor\.svc:5432, with the source's data as of \d{4}-/u);
    equal(findCondition(vdb.status.conditions, "HygieneApplied")?.reason, "Clean", "every copy leaves `port` behind");
    const map = await stage.client.get(configMaps, { namespace: "vendor", name: "orders-postgres-config" }, forever);
    equal(map.data?.["settings.conf"], "work_mem = '9MB'\n");
    const deployment = await stage.client.get(deployments, { namespace: "vendor", name: "orders" }, forever);
    deepEqual(deployment.spec.template.spec.containers[0]?.resources, {
      requests: { cpu: "250m", memory: "256Mi" },
      limits: { cpu: "2", memory: "1073741824" },
    });
  });

  test("what no rule of the CRD can see is refused by the operator, before anything is made", async () => {
    await place("unseen");
    const elsewhere = { type: "dct-source", reference: "delphix-engine:production", namespace: "vendor" };
    await applyVdb(stage.client, "unseen", "elsewhere", { source: elsewhere });
    await applyVdb(stage.client, "unseen", "too-much", { resources: { requests: { cpu: 2 }, limits: { cpu: 0.5 } } });
    const refused = async (name: string) => {
      const vdb = await untilVdb(stage.client, "unseen", name, (one) => isTrue(one.status.conditions, "Stalled"));
      return [readyReason(vdb), messageOf(vdb, "Accepted")];
    };
    deepEqual(await refused("elsewhere"), [
      "BadReference",
      "spec.source.namespace vendor is not this PostgresVDB's own (unseen), and a dct-source allows no other: remove it",
    ]);
    deepEqual(await refused("too-much"), [
      "ResourcesRefused",
      "spec.resources.requests.cpu 2 exceeds spec.resources.limits.cpu 0.5: lower the request or raise the limit",
    ]);
    equal((await stage.client.list(persistentVolumeClaims, { namespace: "unseen" }, forever)).items.length, 0);
  });

  test("an object that the API server refuses is told with its words, and a corrected manifest is enough", async () => {
    await place("refused");
    const pages = { "hugepages-2Mi": "4Mi" }; // which a pod may have beside cpu or memory alone
    const wrong = { resources: { requests: pages, limits: pages } };
    await applyVdb(stage.client, "refused", "orders", wrong);
    const vdb = await untilVdb(stage.client, "refused", "orders", (one) => readyReason(one) === "Invalid");
    equal(vdb.status.phase, "Error");
    match(vdb.status.lastError ?? "", /refuses Deployment orders.*HugePages require cpu or memory/su);
    await stage.client.patch(vdbs, { namespace: "refused", name: "orders" }, { spec: { resources: null } }, forever);
    await untilVdb(stage.client, "refused", "orders", isReady);
  });

  test("a claim or Deployment of somebody else's under its name is left alone, and named", async () => {
    await place("taken");
    const labels = { "app.kubernetes.io/name": "another" };
    const spec = {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "x", image: "x" }] } },
      replicas: 0,
    };
    await stage.client.create(deployments, { metadata: { name: "orders", namespace: "taken" }, spec }, forever);
    await applyVdb(stage.client, "taken", "orders");
    await untilVdb(stage.client, "taken", "orders", (vdb) => readyReason(vdb) === "NameTaken");
    deepEqual(
      (await stage.client.get(deployments, { namespace: "taken", name: "orders" }, forever)).spec.selector.matchLabels,
      labels,
    );
  });

  test("a source that is not there is said, not ignored", async () => {
    await place("unsupported");
    const cases = {
      clone: [{ source: { type: "pvc-clone", reference: "a-claim" } }, "SourceNotFound"],
    } as const;
    for (const [name, [spec, reason]] of Object.entries(cases)) {
      await applyVdb(stage.client, "unsupported", name, spec);
      await untilVdb(stage.client, "unsupported", name, (vdb) => readyReason(vdb) === reason);
    }
  });

  test("a missing Secret, then a missing key, are named; the right one is enough", async () => {
    await newNamespace(stage.client, "secret");
    play("secret");
    await applyVdb(stage.client, "secret", "orders");
    const missing = await untilVdb(stage.client, "secret", "orders", (vdb) => readyReason(vdb) === "SecretNotFound");
    equal(missing.status.phase, "Error");
    equal(
      (await stage.client.list(persistentVolumeClaims, { namespace: "secret" }, forever)).items.length,
      0,
      "nothing half-made",
    );
    const secret = { metadata: { name: "password", namespace: "secret" }, stringData: { pasword: "misspelled" } };
    await stage.client.create(secrets, secret, forever);
    await untilVdb(stage.client, "secret", "orders", (vdb) => readyReason(vdb) === "SecretKeyMissing", 8);
    await makePassword(stage.client, "secret");
    const ready = await untilVdb(stage.client, "secret", "orders", isReady, 10);
    equal(ready.status.lastError, "");
  });
});
