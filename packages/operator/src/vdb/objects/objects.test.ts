import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { describe, test } from "node:test";
import { readConfig } from "../../config.ts";
import { claimName, contentIdOf } from "../names.ts";
import { aVdb, selects } from "../testing.ts";
import { desiredClaim, isOutdated } from "./claim.ts";
import { desiredDeployment } from "./deployment.ts";
import { desiredDisruptionBudget } from "./disruption-budget.ts";
import { valueOf } from "./quantity.ts";
import { desiredService } from "./service.ts";
import { withHash } from "./spec-hash.ts";

const facts = { contentId: "c", image: "postgres:16.2", claimName: "orders-c", restartedFor: undefined };
const plan = { kind: "make", labels: {}, annotations: {}, sizeBytes: 0 } as const;
const { defaults } = readConfig([], {});
const sizeOf = (sizeBytes: number | undefined, spec: object = {}): unknown =>
  desiredClaim(aVdb({ spec }), "c", { ...plan, sizeBytes }, defaults).spec.resources?.requests?.["storage"];

const hash = (spec: object): string => JSON.stringify(withHash(desiredDeployment(aVdb({ spec }), facts)).metadata.annotations);

const serviceOf = (podTemplate: object) => {
  const { metadata, spec } = desiredService(aVdb({ spec: { podTemplate } }), "c", "open");
  return [spec.type, metadata.annotations];
};
const budgetOf = (podTemplate: object) => desiredDisruptionBudget(aVdb({ spec: { podTemplate } }))?.spec;

const storedMeta = { name: "x", uid: "u", resourceVersion: "1", creationTimestamp: "" };

describe("the objects of a database", () => {
  test("the first content id follows from the uid: an operator that died before it wrote it down comes to the same claim", () => {
    equal(contentIdOf(aVdb()), contentIdOf(aVdb()));
    equal(contentIdOf(aVdb({ status: { content: { id: "abc", madeBy: "create" } } })), "abc");
    equal(claimName(aVdb(), "0123456789ab"), "orders-012345");
  });

  test("the volume is as large as the source, in whole GiB", () => {
    const rows: [number | undefined, object, string][] = [
      [2 ** 30, {}, "1Gi"],
      [2 ** 30 + 1, {}, "2Gi"],
      [undefined, {}, "1Gi"],
      [2 ** 40, { storageSize: "7Gi" }, "7Gi"],
    ];
    for (const [bytes, spec, want] of rows) equal(sizeOf(bytes, spec), want);
  });

  test("a claim tells by which manifest it was made: what is read when the volume is made, and nothing else", () => {
    const { metadata, spec } = desiredClaim(aVdb(), "c", plan, defaults);
    const claim = { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { ...storedMeta, ...metadata }, spec };
    const outdated = (changes: object, given = claim, against = defaults) => isOutdated(given, aVdb({ spec: changes }), against);
    const read = [
      { source: { type: "dct-source", reference: "delphix-engine:other" } },
      { vdbGroupName: "another" },
      { envName: "another" },
      { storageClassName: "another" },
      { storageSize: "9Gi" },
      { accessModes: ["ReadWriteMany"] },
      { ownershipSpec: "70:70" },
      { mountPath: "/srv" },
    ];
    for (const changes of read) equal(outdated(changes), true, JSON.stringify(changes));
    const same = [{}, { port: 5493 }, { image: "postgres:17" }, { vdbGroupName: "Untitled" }, { OwnershipSpec: "999:999" }];
    for (const changes of same) equal(outdated(changes), false, JSON.stringify(changes));
    equal(outdated({}, claim, { ...defaults, storageClassName: "corrected" }), true, "a default that was corrected");
    equal(outdated({ envName: "x" }, { ...claim, metadata: storedMeta }), false, "it does not say by which");
  });

  test("a shut Service selects what no pod has; an open one the pod of its content alone", () => {
    const { labels } = desiredDeployment(aVdb(), facts).spec.template.metadata ?? {};
    const leads = (contentId: string, gate: "open" | "shut"): boolean =>
      selects(desiredService(aVdb(), contentId, gate).spec.selector, labels);
    deepEqual([leads("c", "open"), leads("c", "shut"), leads("another", "open")], [true, false, false]);
  });

  test("the Deployment selects its own pods, and not those of a Helm release of the same name", () => {
    const { selector, template } = desiredDeployment(aVdb(), facts).spec;
    const helms = { "app.kubernetes.io/instance": "orders", "app.kubernetes.io/managed-by": "Helm" };
    deepEqual([selects(selector.matchLabels, template.metadata?.labels), selects(selector.matchLabels, helms)], [true, false]);
  });

  test("what it runs as comes from the manifest, and there is no fsGroup", () => {
    const pod = desiredDeployment(aVdb({ spec: { ownershipSpec: "70:71" } }), facts).spec.template.spec;
    deepEqual(pod.securityContext, {
      runAsUser: 70,
      runAsGroup: 71,
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
  });

  test("bare psql finds its server: port, socket, user and database are in the environment", () => {
    const spec = { port: 5493, database: { user: "app", name: "shop", passwordSecretRef: "x" }, mountPath: "/data/pg" };
    const env = desiredDeployment(aVdb({ spec }), facts).spec.template.spec.containers[0]?.env ?? [];
    const value = (name: string) => env.find((one) => one.name === name)?.value;
    deepEqual(["PGPORT", "PGHOST", "PGUSER", "PGDATABASE", "PGDATA"].map(value), [
      "5493",
      "/var/run/postgresql",
      "app",
      "shop",
      "/data/pg/data",
    ]);
  });

  test("a server that recovers is never ended for it, and one that idles is seldom asked by a process", () => {
    const { startupProbe, livenessProbe, readinessProbe } =
      desiredDeployment(aVdb(), facts).spec.template.spec.containers[0] ?? {};
    deepEqual([startupProbe, livenessProbe], [undefined, undefined]);
    match(readinessProbe?.exec?.command.join(" ") ?? "", /sleep 20/u);
    equal((readinessProbe?.timeoutSeconds ?? 0) >= 60, true);
  });

  test("resources reach the pod as they were written, numbers as texts", () => {
    const resources = { requests: { cpu: 0.25, memory: "64Mi" }, limits: { cpu: 2, memory: 1_073_741_824 } };
    const container = desiredDeployment(aVdb({ spec: { resources } }), facts).spec.template.spec.containers[0];
    deepEqual(container?.resources, {
      requests: { cpu: "0.25", memory: "64Mi" },
      limits: { cpu: "2", memory: "1073741824" },
    });
  });

  test("no setting changes the pod: a bad one must not end a running database", () => {
    equal(hash({}), hash({ postgresConfig: [{ name: "shared_buffers", value: "256MX" }] }));
  });

  test("the hash of a Deployment changes with what it says, and with nothing else", () => {
    equal(hash({}), hash({}));
    notEqual(hash({}), hash({ port: 6543 }));
    notEqual(hash({}), hash({ resources: { limits: { memory: "1Gi" } } }));
  });

  test("what podTemplate says reaches the pod, and nothing that the operator owns is another's", () => {
    const podTemplate = {
      labels: { team: "payments", "app.kubernetes.io/instance": "another", "postgresvdb.core.delphix.com/content": "another" },
      annotations: { "example.com/owner": "Payments", "postgresvdb.core.delphix.com/restarted-for": "another" },
      nodeSelector: { disk: "fast" },
      tolerations: [{ key: "dedicated", operator: "Exists" }],
      affinity: { nodeAffinity: {} },
      priorityClassName: "databases",
    };
    const { selector, template } = desiredDeployment(aVdb({ spec: { podTemplate } }), { ...facts, restartedFor: "r" }).spec;
    deepEqual(template.metadata, {
      labels: {
        team: "payments",
        "app.kubernetes.io/name": "postgresvdb",
        "app.kubernetes.io/instance": "orders",
        "app.kubernetes.io/managed-by": "delphix-operator",
        "postgresvdb.core.delphix.com/content": "c",
      },
      annotations: { "example.com/owner": "Payments", "postgresvdb.core.delphix.com/restarted-for": "r" },
    });
    const { nodeSelector, tolerations, affinity, priorityClassName } = template.spec;
    const { labels: _, annotations: __, ...placed } = podTemplate;
    deepEqual({ nodeSelector, tolerations, affinity, priorityClassName }, placed);
    deepEqual(selector, desiredDeployment(aVdb(), facts).spec.selector, "it can never be changed");
  });

  test("which fields of podTemplate change the Deployment, and so replace the pod", () => {
    const rows: [object, boolean][] = [
      [{}, false],
      [{ service: { type: "NodePort", annotations: { a: "b" } } }, false],
      [{ podDisruptionBudget: { maxUnavailable: 0 } }, false],
      [{ labels: {}, annotations: {} }, false],
      [{ labels: { team: "payments" } }, true],
      [{ annotations: { team: "payments" } }, true],
      [{ nodeSelector: { disk: "fast" } }, true],
      [{ tolerations: [{ operator: "Exists" }] }, true],
      [{ affinity: { podAntiAffinity: {} } }, true],
      [{ priorityClassName: "databases" }, true],
    ];
    for (const [podTemplate, replaces] of rows) equal(hash({ podTemplate }) !== hash({}), replaces, JSON.stringify(podTemplate));
  });

  test("with tls the Secret is mounted by its name alone, and its absence keeps no pod from starting", () => {
    const { volumes, containers } = desiredDeployment(
      aVdb({ spec: { tls: { secretName: "orders-tls", withoutTls: "Refuse" } } }),
      facts,
    ).spec.template.spec;
    deepEqual(volumes?.at(-1), { name: "tls", secret: { secretName: "orders-tls", defaultMode: 0o444, optional: true } });
    deepEqual(containers[0]?.volumeMounts?.at(-1), { name: "tls", mountPath: "/etc/vdb-tls", readOnly: true });
    const before = desiredDeployment(aVdb(), facts).spec.template.spec;
    equal(JSON.stringify(before).includes("tls"), false, "without it nothing changes");
  });

  test("Service and disruption budget are as podTemplate says", () => {
    deepEqual(serviceOf({}), ["ClusterIP", undefined]);
    deepEqual(serviceOf({ service: { type: "NodePort", annotations: { a: "b" } } }), ["NodePort", { a: "b" }]);
    equal(budgetOf({}), undefined);
    deepEqual(budgetOf({ podDisruptionBudget: { maxUnavailable: 0 } }), {
      selector: desiredDeployment(aVdb(), facts).spec.selector,
      maxUnavailable: 0,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    });
  });

  test("quantities are read as Kubernetes writes them", () => {
    const rows: [string | number | undefined, number | undefined][] = [
      ["4Gi", 4 * 2 ** 30],
      ["512M", 512e6],
      ["1e9", 1e9],
      ["1E3", 1e3],
      ["1E", 1e18],
      [2, 2],
      [0.25, 0.25],
      ["500m", 0.5],
      ["-1", -1],
      [".5Ki", 512],
      ["lots", undefined],
      ["1Mb", undefined],
      ["1mi", undefined],
      ["", undefined],
      [undefined, undefined],
    ];
    for (const [given, want] of rows) equal(valueOf(given), want, String(given));
  });
});
