/**
 * The charts under values that users give: helm lint has nothing to say, and a real API server accepts each rendered object as it
 * stands, every field known (a dry run, strictly validated). What single values do is in packages/csi/integration/chart.test.ts.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sampled, startApiServer, type TestApiServer } from "kube-runtime/testing";
import { parse, parseAllDocuments } from "yaml";

const root = join(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "charts-"));
after(() => rmSync(folder, { recursive: true }));

/** What a test reads of a rendered object. */
interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly PolicyRule[];
    readonly egress?: readonly PolicyRule[];
  };
}
interface PolicyRule {
  readonly ports?: readonly { readonly port: number; readonly protocol?: string }[];
}

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
const bin = (name: string, args: readonly string[], input?: string): Ran =>
  spawnSync(join(root, ".local/bin", name), args, { encoding: "utf8", input, maxBuffer: 64 << 20 });

const namespaces = { "delphix-operator": "pg-operator", "delphix-storage": "delphix-storage" } as const;
type Chart = keyof typeof namespaces;

function helm(command: "lint" | "template", chart: Chart, values: object): string {
  const file = join(folder, "values.json");
  writeFileSync(file, JSON.stringify(values));
  const release = command === "lint" ? ["--strict"] : [chart];
  const args = [command, ...release, join(root, "charts", chart), "--namespace", namespaces[chart], "--values", file];
  const { status, stdout, stderr } = bin("helm", args);
  equal(status, 0, stdout + stderr);
  return stdout;
}

const pod = {
  nodeSelector: { disk: "fast" },
  tolerations: [{ key: "dedicated", operator: "Equal", value: "db", effect: "NoSchedule" }],
  priorityClassName: "system-cluster-critical",
  extraArgs: ["--help"],
};
const resources = { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2", memory: "2Gi" } };
const dsource = {
  name: "orders",
  group: "Untitled",
  host: "db.example.com",
  port: 5433,
  user: "link",
  database: "orders",
  passwordSecret: { name: "orders-link", key: "password" },
  sslmode: "verify-full",
  sslRootCertSecret: { name: "orders-ca", key: "ca.crt" },
  interval: "1d",
  keep: 3,
};

const rows: readonly { readonly name: string; readonly chart: Chart; readonly values: object }[] = [
  { name: "the defaults", chart: "delphix-operator", values: {} },
  {
    name: "one namespace, one replica without an election",
    chart: "delphix-operator",
    values: { watchNamespaces: ["pg-operator"], replicas: 1, leaderElection: false },
  },
  { name: "some namespaces", chart: "delphix-operator", values: { watchNamespaces: ["pg-operator", "default"] } },
  {
    name: "another team's names, a DCT of its own, databases of all namespaces",
    chart: "delphix-operator",
    values: {
      credentials: { secretName: "dct", create: false },
      allowCrossNamespace: true,
      defaults: {
        vdbGroupName: "Group with 'quotes' and \"more\"",
        envName: "a: b #c",
        images: { "16": "host:5000/pg:16@sha256:00" },
      },
    },
  },
  {
    name: "everything about its pods",
    chart: "delphix-operator",
    values: {
      ...pod,
      resources,
      imagePullSecrets: [{ name: "registry" }],
      imagePullPolicy: "Always",
      podAnnotations: { "prometheus.io/scrape": "true", "prometheus.io/port": "8080" },
      logLevel: "debug",
      tracing: { endpoint: "https://collector.monitoring:4318" },
      concurrency: 100,
      replicas: 3,
    },
  },
  {
    name: "no protection, and databases that have an end",
    chart: "delphix-operator",
    values: { protection: { enabled: false }, expiry: { notice: "30m", longest: { "*": "168h", dev: "72h" } } },
  },
  {
    name: "no Service for metrics, no roles for people, the dashboard",
    chart: "delphix-operator",
    values: { metrics: { service: { enabled: false }, dashboard: { create: true } }, roles: { create: false } },
  },
  {
    name: "NetworkPolicies of calls too, and of databases",
    chart: "delphix-operator",
    values: {
      networkPolicy: {
        egressPorts: [6443, 8443],
        databases: {
          namespaces: ["pg-operator"],
          egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.5/32"] } }] }],
        },
      },
    },
  },
  { name: "no NetworkPolicy", chart: "delphix-operator", values: { networkPolicy: { enabled: false } } },
  { name: "no replica, on purpose", chart: "delphix-operator", values: { replicas: 0 } },
  { name: "the defaults", chart: "delphix-storage", values: {} },
  {
    name: "a DCT of the user's own",
    chart: "delphix-storage",
    values: { engine: { enabled: false }, credentials: { create: false } },
  },
  {
    name: "no operator, no snapshots, no expansion, no class",
    chart: "delphix-storage",
    values: {
      operatorNamespace: "",
      snapshots: { enabled: false },
      csi: { resizer: { enabled: false } },
      storageClass: { create: false },
    },
  },
  {
    name: "attached volumes, a snapshot-controller always, and NetworkPolicies of calls too",
    chart: "delphix-storage",
    values: {
      networkPolicy: { egressPorts: [6443, 8443] },
      csi: { attachRequired: true },
      snapshots: { controller: { install: "always" } },
    },
  },
  {
    name: "no snapshot-controller, default classes that retain",
    chart: "delphix-storage",
    values: {
      storageClass: { default: true, reclaimPolicy: "Retain", name: "thin" },
      snapshots: { controller: { install: "never" }, class: { default: false, deletionPolicy: "Retain", name: "thin" } },
    },
  },
  {
    name: "dSources and everything about its pods",
    chart: "delphix-storage",
    values: {
      imagePullSecrets: [{ name: "registry" }],
      kubeletDir: "/var/snap/microk8s/common/var/lib/kubelet",
      csi: {
        controller: { ...pod, resources },
        node: { tolerations: pod.tolerations, priorityClassName: "", extraArgs: [], resources },
        provisioner: { extraArgs: ["--v=5"], resources },
        defaults: { engineName: "e", sourceDBName: "orders", ownershipSpec: "26:26" },
      },
      engine: {
        ...pod,
        resources,
        dataDir: "/data/engine",
        removeDataOnUninstall: true,
        config: { pool: { size: "20Gi", reserve: "1Gi" }, dsources: [dsource] },
      },
      snapshots: { controller: { install: "always", ...pod, resources } },
    },
  },
];

const documents = (chart: Chart, values: object): readonly Rendered[] =>
  parseAllDocuments(helm("template", chart, values)).map((document): Rendered => document.toJS());

interface Policy {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly selector: unknown;
  /** Ports that are let in, or may be called; undefined: no rule, so all. */
  readonly ingress: readonly string[] | undefined;
  readonly egress: readonly string[] | undefined;
}
const byName = ([left]: readonly unknown[], [right]: readonly unknown[]): number => String(left).localeCompare(String(right));

function policiesOf(objects: readonly Rendered[]): readonly Policy[] {
  const portsOf = ({ spec }: Rendered, type: "Ingress" | "Egress"): readonly string[] | undefined => {
    if (spec.policyTypes?.includes(type) !== true) return undefined;
    const rules = (type === "Ingress" ? spec.ingress : spec.egress) ?? [];
    return rules.flatMap(({ ports = [] }) => ports.map(({ port, protocol = "TCP" }) => `${protocol} ${port}`));
  };
  return objects
    .filter(({ kind }) => kind === "NetworkPolicy")
    .map((policy) => ({
      name: policy.metadata.name,
      namespace: policy.metadata.namespace,
      selector: policy.spec["podSelector"],
      ingress: portsOf(policy, "Ingress"),
      egress: portsOf(policy, "Egress"),
    }))
    .toSorted((left, right) => byName([left.name], [right.name]));
}
const databasePolicies = (egress: readonly object[]): readonly Policy[] =>
  policiesOf(
    documents("delphix-operator", { networkPolicy: { enabled: false, databases: { namespaces: ["dev", "test"], egress } } }),
  );
const isTheirs = ({ apiVersion }: Rendered): boolean => apiVersion === "monitoring.coreos.com/v1";

describe("the charts under many values", () => {
  let server: TestApiServer;
  const kubectl = (args: readonly string[], input?: string): Ran =>
    bin("kubectl", ["--kubeconfig", server.kubeconfig, ...args], input);

  before(async () => {
    server = await startApiServer();
    for (const name of ["pg-operator", "delphix-storage", "snapshot-controller"])
      equal(kubectl(["create", "namespace", name]).status, 0, name);
    const kinds = ["delphix-operator/templates/crds", "delphix-storage/crds"].map((path) => join(root, "charts", path));
    const { status, stderr } = kubectl(["create", ...kinds.flatMap((path) => ["-f", path])]);
    equal(status, 0, stderr);
    match(kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]).stdout, /volumesnapshotclasses/u);
  });
  after(async () => await server[Symbol.asyncDispose]());

  for (const { name, chart, values } of sampled("values", rows, 6))
    test(`${chart}, ${name}: linted, and accepted by the API server`, () => {
      match(helm("lint", chart, values), /0 chart\(s\) failed/u);
      const rendered = helm("template", chart, values);
      const flags = ["--dry-run=server", "--validate=strict", "--server-side", "--force-conflicts", "--warnings-as-errors"];
      const { status, stdout, stderr } = kubectl(["apply", ...flags, "-f", "-"], rendered);
      deepEqual({ status, stderr }, { status: 0, stderr: "" }, name);
      ok(stdout.split("\n").length >= 4, stdout);
    });

  test("make manifests: both charts as one file that the API server accepts, with namespaces, definitions and the user's values", () => {
    const values = join(folder, "operator-values.yaml");
    writeFileSync(values, "replicas: 1\n");
    const env = { ...process.env, OPERATOR_VALUES: values, STORAGE_VALUES: "", MANIFESTS: join(folder, "delphix.yaml") };
    const made = spawnSync(join(root, "scripts/manifests"), { encoding: "utf8", env });
    equal(made.status, 0, made.stdout + made.stderr);
    const text = readFileSync(join(folder, "delphix.yaml"), "utf8");
    const flags = ["--dry-run=server", "--validate=strict", "--server-side", "--force-conflicts"];
    const { status, stdout, stderr } = kubectl(["apply", ...flags, "-f", "-"], text);
    deepEqual({ status, stderr }, { status: 0, stderr: "" });
    for (const wanted of [
      "namespace/pg-operator",
      "namespace/delphix-storage",
      "deployment.apps/delphix-operator",
      "statefulset.apps/delphix-engine",
    ])
      ok(stdout.includes(`${wanted} serverside-applied`), wanted);
    match(stdout, /customresourcedefinition.apiextensions.k8s.io\/postgresvdbs.core.delphix.com/u);
    match(text, /^ {2}replicas: 1$/mu);
  });

  test("monitors and rules: by value alone, with the user's labels, and the label namespace is the database's", () => {
    const labels = { release: "prometheus" };
    deepEqual(documents("delphix-operator", {}).filter(isTheirs), []);
    for (const kind of ["ServiceMonitor", "PodMonitor"]) {
      const metrics = { service: { enabled: false }, monitor: { kind, labels }, rules: { create: true, labels } };
      const objects = documents("delphix-operator", { metrics });
      const theirs = objects.filter(isTheirs);
      deepEqual(new Set(theirs.map((one) => one.kind)), new Set([kind, "PrometheusRule"]));
      const [monitor, rules] = [kind, "PrometheusRule"].map((wanted) => theirs.find((one) => one.kind === wanted));
      for (const one of [monitor, rules])
        deepEqual(
          [one?.metadata.labels["release"], one?.metadata.labels["app.kubernetes.io/name"]],
          ["prometheus", "delphix-operator"],
        );
      const endpoints = monitor?.spec[kind === "ServiceMonitor" ? "endpoints" : "podMetricsEndpoints"];
      deepEqual(endpoints, [{ port: "http", path: "/metrics", interval: "30s", honorLabels: true }]);
      const file: object = parse(readFileSync(join(root, "charts/delphix-operator/files/alerts.yaml"), "utf8"));
      deepEqual(rules?.spec, file);
      // A ServiceMonitor without its Service would find nothing.
      equal(
        objects.some(({ kind: one, metadata }) => one === "Service" && metadata.name === "delphix-operator-metrics"),
        kind === "ServiceMonitor",
      );
    }
    const [engine] = documents("delphix-storage", { engine: { monitor: { create: true, labels } } }).filter(isTheirs);
    deepEqual(engine?.spec["endpoints"], [
      {
        port: "https",
        scheme: "https",
        path: "/metrics",
        interval: "30s",
        authorization: { type: "apk", credentials: { name: "delphix-creds", key: "DCT_KEY" } },
        tlsConfig: { serverName: "delphix-engine.delphix-storage.svc", ca: { secret: { name: "delphix-creds", key: "ca.crt" } } },
      },
    ]);
    deepEqual(documents("delphix-storage", {}).filter(isTheirs), []);
  });

  test("a NetworkPolicy for every pod of ours, and ports alone that it serves or may call", () => {
    const values = {
      networkPolicy: { egressPorts: [6443] },
      snapshots: { controller: { install: "always" } },
      engine: { config: { dsources: [dsource] } },
    };
    const objects = [
      ...documents("delphix-operator", { networkPolicy: { egressPorts: [6443] } }),
      ...documents("delphix-storage", values),
    ];
    const policies = policiesOf(objects);
    const workloads = objects.filter(({ kind }) => ["Deployment", "DaemonSet", "StatefulSet"].includes(kind));
    deepEqual(
      policies.map(({ name, selector }) => [name, selector]),
      workloads.map(({ metadata, spec }) => [metadata.name, spec["selector"]]).toSorted(byName),
    );
    const dns = ["UDP 53", "TCP 53"];
    deepEqual(Object.fromEntries(policies.map(({ name, ingress, egress }) => [name, { ingress, egress }])), {
      "delphix-csi-controller": { ingress: [], egress: [...dns, "TCP 6443"] },
      "delphix-csi-node": { ingress: [], egress: [] },
      "delphix-engine": { ingress: ["TCP 8443"], egress: [...dns, "TCP 6443", "TCP 5433"] },
      "delphix-operator": { ingress: ["TCP 8080"], egress: [...dns, "TCP 6443"] },
      "snapshot-controller": { ingress: [], egress: [...dns, "TCP 6443"] },
    });
    // Calls are left alone unless their ports are known; NFS is mounted from the node plugin's network.
    const others = [...documents("delphix-operator", {}), ...documents("delphix-storage", { engine: { enabled: false } })];
    deepEqual(new Set(policiesOf(others).map(({ egress }) => egress)), new Set([undefined]));
    const none = { networkPolicy: { enabled: false } };
    deepEqual(policiesOf([...documents("delphix-operator", none), ...documents("delphix-storage", none)]), []);
  });

  test("databases call nobody where a NetworkPolicy is asked for, but whom the values name", () => {
    const selector = {
      matchLabels: { "app.kubernetes.io/name": "postgresvdb", "app.kubernetes.io/managed-by": "delphix-operator" },
    };
    const wanted = { name: "delphix-databases", selector, ingress: undefined };
    deepEqual(
      databasePolicies([]).map(({ namespace, ...rest }) => [namespace, rest]),
      ["dev", "test"].map((namespace) => [namespace, { ...wanted, egress: [] }]),
    );
    deepEqual(
      databasePolicies([{ ports: [{ port: 443 }] }]).map(({ egress }) => egress),
      [["TCP 443"], ["TCP 443"]],
    );
  });

  test("a field that Kubernetes does not know is not overlooked", () => {
    const rendered = helm("template", "delphix-storage", {});
    const spoilt = rendered.replace(/^(\s+)serviceAccountName:/mu, "$1serviceAccuontName: x\n$1serviceAccountName:");
    ok(spoilt !== rendered);
    const { status, stderr } = kubectl(["apply", "--dry-run=server", "--validate=strict", "--server-side", "-f", "-"], spoilt);
    equal(status, 1);
    match(stderr, /serviceAccuontName/u);
  });
});
