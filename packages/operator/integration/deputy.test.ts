/**
 * No confused deputy: the operator may do more than its users, so a user must not reach through it. Mallory has the chart's role
 * `developer` in one namespace; each field of each kind that names something is tried on what belongs to another one.
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { actionKinds, kinds, resourceOf } from "@vdb/api";
import { deployments, persistentVolumeClaims, type Resource, secrets } from "kube-runtime";
import { forever, vdbs } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";
import { until } from "./testing/until.ts";

const root = join(import.meta.dirname, "../../..");
const bin = (name: string, args: readonly string[], input?: string) =>
  spawnSync(join(root, ".local/bin", name), args, { encoding: "utf8", ...(input === undefined ? {} : { input }) });

/** How each field that names something is kept from reaching into another namespace. `cluster`: what it names has no namespace. */
const fields: Readonly<Record<string, "tried here" | "cluster" | "own namespace alone">> = {
  "PostgresVDB.source.reference": "tried here",
  "PostgresVDB.source.namespace": "tried here",
  "PostgresVDB.database.passwordSecretRef": "tried here",
  "PostgresVDB.tls.secretName": "tried here",
  "PostgresVDB.schedules.refresh.snapshotRef.name": "own namespace alone", // becomes the field of a VDBRefresh
  "PostgresVDB.storageClassName": "cluster",
  "PostgresVDB.podTemplate.priorityClassName": "cluster",
  ...Object.fromEntries(
    actionKinds.flatMap(({ kind, spec }) =>
      [
        "vdbRef" in spec.properties ? ["vdbRef.name", "vdbRef.namespace"] : ["targetRef.name", "targetRef.namespace"],
        "snapshotRef" in spec.properties ? ["snapshotRef.name"] : [],
        "planRef" in spec.properties ? ["planRef.name"] : [],
      ]
        .flat()
        .map((field) => [`${kind}.${field}`, "tried here" as const]),
    ),
  ),
};

/** The paths of a schema at whose end something is named. */
function naming(path: string, part: object): readonly string[] {
  if ("properties" in part && typeof part.properties === "object" && part.properties !== null)
    return Object.entries(part.properties).flatMap(([name, inner]: [string, object]) => naming(`${path}.${name}`, inner));
  if ("items" in part && typeof part.items === "object" && part.items !== null) return naming(path, part.items);
  return /(?:namespace|reference|ref\.name|secretref|secretname|classname)$/iu.test(path) ? [path] : [];
}

const database = (source: object, more: object = {}) => ({
  source,
  database: { passwordSecretRef: "password" },
  image: "postgres:16.2",
  ...more,
});

describe("a user with rights in one namespace", { timeout: 240_000 }, () => {
  const stage = setStage("victim");
  const kubectl = (args: readonly string[], input?: string) =>
    bin("kubectl", ["--kubeconfig", stage.kubeconfig, "--as", "mallory", ...args], input);
  const apply = (kind: string, name: string, spec: object, namespace = "theirs") => {
    const apiVersion = kind === "PostgresVDB" ? "core.delphix.com/v1alpha1" : "actions.delphix.com/v1alpha1";
    return kubectl(
      ["apply", "--server-side", "-f", "-"],
      JSON.stringify({ apiVersion, kind, metadata: { name, namespace }, spec }),
    );
  };
  const create = (kind: string, name: string, spec: object): void => {
    const { status, stderr } = apply(kind, name, spec);
    equal(status, 0, stderr);
  };
  const may = (verb: string, resource: string, namespace: string): string =>
    kubectl(["auth", "can-i", verb, resource, "-n", namespace]).stdout.trim();
  const untilReason = async (name: string, wanted: string): Promise<string> =>
    await until(`${name} says ${wanted}`, async () => {
      const { status } = await stage.client.get(vdbs, { namespace: "theirs", name }, forever);
      const ready = status.conditions?.find(({ type }) => type === "Ready");
      if (ready?.reason === wanted) return ready.message;
      throw new Error(JSON.stringify(status, undefined, 1));
    });
  const claims = async (): Promise<readonly string[]> =>
    (await stage.client.list(persistentVolumeClaims, { namespace: "theirs" }, forever)).items.map(
      ({ metadata }) => metadata.name,
    );
  const versionsOf = async (resource: Resource): Promise<readonly string[]> =>
    (await stage.client.list(resource, { namespace: "victim" }, forever)).items.map(
      ({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion}`,
    );
  /** All that the victim has, with its versions: nothing of it may change. */
  const victims = async (): Promise<readonly string[]> => {
    const all = await Promise.all(
      [vdbs, deployments, persistentVolumeClaims, secrets, ...actionKinds.map((kind) => resourceOf(kind))].map(versionsOf),
    );
    return all.flat();
  };
  let standing: readonly string[] = [];

  before(async () => {
    const ready = await stage.readyDatabase("victim");
    stage.dct.vdbs.set("dlpx-orders", ready.status.delphixID ?? "");
    await stage.readyDatabase("theirs");
    await stage.client.create(
      secrets,
      { metadata: { namespace: "victim", name: "only-victims" }, stringData: { password: "the-victims-own" } },
      forever,
    );
    const chart = ["template", "op", join(root, "charts/delphix-operator"), "--show-only", "templates/ready-roles.yaml"];
    const admin = (args: readonly string[], input?: string): void => {
      const { status, stderr } = bin("kubectl", ["--kubeconfig", stage.kubeconfig, ...args], input);
      equal(status, 0, stderr);
    };
    admin(["apply", "-f", "-"], bin("helm", chart).stdout);
    admin(["create", "rolebinding", "mallory", "-n", "theirs", "--clusterrole=op-developer", "--user=mallory"]);
    standing = await victims();
  });

  test("each field of each kind that names something is in the table of this file", () => {
    const found = kinds.flatMap(({ kind, spec }) => naming(kind, spec));
    deepEqual(found.toSorted(), Object.keys(fields).toSorted());
  });

  test("the role lets her work in her namespace, and in no other; it shows no Secret and opens no shell", () => {
    for (const { plural } of kinds)
      deepEqual([may("create", plural, "theirs"), may("get", plural, "victim")], ["yes", "no"], plural);
    deepEqual(
      [
        may("get", "secrets", "theirs"),
        may("list", "secrets", "theirs"),
        may("create", "pods/exec", "theirs"),
        may("create", "pods", "theirs"),
      ],
      ["no", "no", "no", "no"],
    );
    equal(
      apply("PostgresVDB", "in-victims", database({ type: "dct-source", reference: "delphix-engine:production" }), "victim")
        .status,
      1,
    );
  });

  test("source: a claim, a VolumeSnapshot or a VDB of another namespace needs its grant, and is not copied without", async () => {
    const had = await claims();
    const sources: Readonly<Record<string, object>> = {
      claim: { type: "pvc-clone", reference: "victim/orders-data" },
      "claim-beside": { type: "pvc-clone", reference: "orders-data", namespace: "victim" },
      snapshot: { type: "k8s-snapshot", reference: "monday", namespace: "victim" },
      dct: { type: "dct-source", reference: "delphix-engine:dlpx-orders" },
    };
    for (const [name, source] of Object.entries(sources)) create("PostgresVDB", name, database(source));
    for (const name of Object.keys(sources))
      match(
        await untilReason(name, "ReferenceNotGranted"),
        /the namespace victim does not allow a PostgresVDB of the namespace theirs/u,
      );
    deepEqual(await claims(), had);
    const refused = apply("PostgresVDB", "adopt", database({ type: "pvc-adopt", reference: "victim/orders-data" }));
    equal(refused.status, 1);
    match(refused.stderr, /the name of a claim in the PostgresVDB's own namespace/u);
  });

  test("Secrets: a name means the own namespace, and no name leads out of it", async () => {
    const source = { type: "dct-source", reference: "delphix-engine:production" };
    create("PostgresVDB", "password", database(source, { database: { passwordSecretRef: "only-victims" } }));
    match(await untilReason("password", "SecretNotFound"), /only-victims in namespace theirs/u);
    stage.play("theirs"); // for a claim that is bound
    create("PostgresVDB", "tls", database(source, { tls: { secretName: "only-victims" } }));
    // The pod mounts it, and a pod mounts Secrets of its own namespace alone.
    const mounted = await until("the Deployment", async () => {
      const found = await stage.client.find(deployments, { namespace: "theirs", name: "tls" }, forever);
      return found?.spec.template.spec.volumes?.find(({ secret }) => secret?.secretName === "only-victims");
    });
    equal(mounted.secret?.secretName, "only-victims");
    for (const spec of [
      { database: { passwordSecretRef: "victim/only-victims" } },
      { tls: { secretName: "victim/only-victims" } },
    ])
      equal(apply("PostgresVDB", "slash", database(source, spec)).status, 1);
  });

  test("actions: a database of another namespace needs its grant, whatever the action", async () => {
    for (const kind of actionKinds) {
      const { properties } = kind.spec;
      const ref = "vdbRef" in properties ? "vdbRef" : "targetRef";
      const content = "content" in properties ? { content: "DROP TABLE orders" } : {};
      const snapshotRef = kind.kind.endsWith("Rewind") ? { snapshotRef: { type: "previous" } } : {};
      create(kind.kind, "reach", { [ref]: { name: "orders", namespace: "victim" }, ...content, ...snapshotRef });
      const reason = await until(`${kind.kind} is Pending`, async () => {
        const { status } = await stage.client.get(resourceOf(kind), { namespace: "theirs", name: "reach" }, forever);
        const found = status.conditions?.find(({ type }) => type === "Reconciling");
        return status.phase === "Pending" ? found?.reason : undefined;
      });
      equal(reason, "ReferenceNotGranted", kind.kind);
      equal(apply(kind.kind, "slash", { [ref]: { name: "victim/orders" }, ...content, ...snapshotRef }).status, 1, kind.kind);
    }
  });

  test("a status that she writes along is dropped", () => {
    const status = { phase: "Ready", delphixID: "1", pvcName: "x", observedGeneration: 1 };
    const manifest = {
      apiVersion: "core.delphix.com/v1alpha1",
      kind: "PostgresVDB",
      metadata: { name: "forged", namespace: "theirs" },
      spec: database({ type: "dct-source", reference: "delphix-engine:absent" }),
      status,
    };
    const { stdout } = kubectl(
      ["create", "-f", "-", "-o", "jsonpath={.status.delphixID}{.status.pvcName}"],
      JSON.stringify(manifest),
    );
    equal(stdout, "");
    equal(
      kubectl([
        "patch",
        "postgresvdb",
        "forged",
        "-n",
        "theirs",
        "--subresource=status",
        "--type=merge",
        "-p",
        JSON.stringify({ status }),
      ]).status,
      1,
    );
  });

  test("nothing of the other namespace has changed", async () => {
    deepEqual(await victims(), standing);
  });
});
