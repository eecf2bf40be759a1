/** charts/delphix-storage as helm renders it; that it works is shown on the cluster (e2e/). */
import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { parseAllDocuments } from "yaml";

const root = new URL("../../../", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "chart-test-"));
after(() => rmSync(folder, { recursive: true }));

function helm(command: string, values: object = {}, chart = "delphix-storage"): { readonly ok: boolean; readonly out: string } {
  const file = join(folder, "values.json");
  writeFileSync(file, JSON.stringify(values));
  const name = command === "lint" ? [] : ["storage"];
  const args = [command, ...name, join(root, "charts", chart), "--namespace", "delphix-storage", "--values", file];
  const { status, stdout, stderr } = spawnSync(join(root, ".local/bin/helm"), args, { encoding: "utf8" });
  return { ok: status === 0, out: status === 0 ? stdout : stdout + stderr };
}

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels: Readonly<Record<string, string>> };
  readonly text: string;
}

/** Duplicate keys are an error here: the API server would drop one of them without a word. */
function render(values: object = {}): readonly Rendered[] {
  const { ok: rendered, out } = helm("template", values);
  equal(rendered, true, out);
  return parseAllDocuments(out, { uniqueKeys: true }).map((document) => {
    deepEqual(document.errors, []);
    return { ...document.toJS(), text: JSON.stringify(document.toJS()) };
  });
}

interface Probe {
  readonly initialDelaySeconds?: number;
  readonly periodSeconds?: number;
  readonly failureThreshold?: number;
}
type Probed = { readonly name: string; readonly livenessProbe?: Probe; readonly startupProbe?: Probe };

/** How long a container may be silent from its start; 0 without a probe. */
const patienceSeconds = ({ initialDelaySeconds = 0, periodSeconds = 0, failureThreshold = 0 }: Probe): number =>
  initialDelaySeconds + periodSeconds * failureThreshold;

const dsource = { name: "orders", host: "db", user: "link", passwordSecret: { name: "orders-link", key: "password" } };
const withSource = { engine: { config: { dsources: [dsource, { ...dsource, name: "crm" }] } } };
const find = (objects: readonly Rendered[], kind: string, name: string, namespace?: string): Rendered => {
  const found = objects.find(
    (one) => one.kind === kind && one.metadata.name === name && (namespace ?? one.metadata.namespace) === one.metadata.namespace,
  );
  ok(found !== undefined, `${kind} ${name} is not rendered`);
  return found;
};

describe("charts/delphix-storage", () => {
  test("helm lint has nothing to say", () => {
    match(helm("lint").out, /0 chart\(s\) failed/u);
  });

  test("renders the same twice: nothing random, so that GitOps sees no drift", () => {
    equal(helm("template", withSource).out, helm("template", withSource).out);
  });

  test("the credentials Secret has no data: an upgrade cannot wipe what the engine filled in", () => {
    const { text } = find(render(), "Secret", "delphix-creds");
    doesNotMatch(text, /"(?:data|stringData)"/u);
  });

  test("the engine may patch that one Secret, here and in the operator's namespace, and nothing else", () => {
    const objects = render();
    for (const namespace of ["delphix-storage", "pg-operator"])
      match(
        find(objects, "Role", "delphix-engine-credentials", namespace).text,
        /"rules":\[\{"apiGroups":\[""\],"resources":\["secrets"\],"resourceNames":\["delphix-creds"\],"verbs":\["get","patch"\]\}\]/u,
      );
    const roles = objects.filter(({ kind, text }) => kind.endsWith("RoleBinding") && text.includes('"name":"delphix-engine"'));
    deepEqual(new Set(roles.map(({ metadata }) => metadata.namespace)), new Set(["delphix-storage", "pg-operator"]));
  });

  test("ConfigMap delphix-config has the defaults, with the embedded engine's name, and the driver may read that one alone", () => {
    const objects = render({ csi: { defaults: { envName: "qa" } }, engine: { config: { name: "mine" } } });
    match(
      find(objects, "ConfigMap", "delphix-config").text,
      /"data":\{"engineName":"mine","envName":"qa","ownershipSpec":"999:999"/u,
    );
    match(
      find(objects, "Role", "delphix-csi-controller").text,
      /\{"apiGroups":\[""\],"resources":\["configmaps"\],"resourceNames":\["delphix-config"\],"verbs":\["get"\]\}/u,
    );
    const own = render({ csi: { configMap: { name: "ours", create: false } } });
    equal(own.filter(({ kind, metadata }) => kind === "ConfigMap" && /^(ours|delphix-config)$/u.test(metadata.name)).length, 0);
    match(find(own, "Deployment", "delphix-csi-controller").text, /"--config-map=ours"/u);
  });

  test("snapshots: class, sidecar and one controller in a namespace of its own; switched off, not even a right of them is left", () => {
    const objects = render();
    match(
      find(objects, "VolumeSnapshotClass", "de-fs-storage").text,
      /"driver":"defs.csi.delphix.com","deletionPolicy":"Delete"/u,
    );
    match(
      find(objects, "Deployment", "snapshot-controller", "snapshot-controller").text,
      /"replicas":1,"strategy":\{"type":"Recreate"/u,
    );
    match(find(objects, "Deployment", "delphix-csi-controller").text, /"name":"snapshotter".*--extra-create-metadata=true/u);
    const never = render({ snapshots: { controller: { install: "never" } } });
    deepEqual(
      never.filter(({ metadata }) => metadata.name.includes("snapshot-controller")),
      [],
    );
    find(never, "VolumeSnapshotClass", "de-fs-storage");
    for (const { kind, metadata, text } of render({ snapshots: { enabled: false } }))
      doesNotMatch(text, /snapshotter|snapshot.storage|snapshot-controller/u, `${kind} ${metadata.name}`);
  });

  test("attachRequired: CSIDriver, the driver's flag, the attacher and its rights, all or none of them", () => {
    const attached = render({ csi: { attachRequired: true } });
    match(find(attached, "CSIDriver", "defs.csi.delphix.com").text, /"attachRequired":true/u);
    match(find(attached, "Deployment", "delphix-csi-controller").text, /"--attach".*"name":"attacher"/u);
    match(find(attached, "ClusterRole", "storage-csi-controller").text, /"volumeattachments\/status"\],"verbs":\["patch"\]/u);
    for (const { kind, metadata, text } of render())
      doesNotMatch(text, /"attachRequired":true|--attach|attacher|volumeattachments\/status/u, `${kind} ${metadata.name}`);
  });

  test("expansion: the StorageClass allows it and the resizer does it; without the resizer not even its right is left", () => {
    const objects = render();
    match(find(objects, "StorageClass", "de-fs-storage").text, /"allowVolumeExpansion":true/u);
    match(find(objects, "Deployment", "delphix-csi-controller").text, /"name":"resizer"/u);
    for (const { text } of render({ csi: { resizer: { enabled: false } } }))
      doesNotMatch(text, /resizer|persistentvolumeclaims\/status/u);
  });

  test("no sidecar has rights on group snapshots, and none may create a VolumeSnapshot", () => {
    const text = render()
      .filter(({ kind }) => kind.endsWith("Role"))
      .map((one) => one.text)
      .join("");
    doesNotMatch(text, /groupsnapshot/u);
    doesNotMatch(text, /"resources":\["volumesnapshots"\],"verbs":\[[^\]]*"create"/u);
  });

  test("without the operator nothing is written outside the release's namespace", () => {
    const outside = render({ operatorNamespace: "" }).filter(({ text }) => text.includes("pg-operator"));
    deepEqual(outside, []);
  });

  test("no Secret is read by anybody but by its name", () => {
    for (const { kind, metadata, text } of render())
      if (kind.endsWith("Role") && text.includes('"secrets"')) match(text, /"resourceNames":\["delphix-creds"\]/u, metadata.name);
  });

  test("each password Secret is mounted once, optional: a missing one must not stop the engine", () => {
    const { text } = find(render(withSource), "StatefulSet", "delphix-engine");
    equal(text.split('"secretName":"orders-link","optional":true').length - 1, 1);
    match(text, /"mountPath":"\/etc\/delphix-engine\/secrets\/orders-link"/u);
  });

  test("a DCT of the user's own: no engine, no privileged pod but the node plugin's", () => {
    const objects = render({ engine: { enabled: false }, credentials: { create: false } });
    const privileged = objects.filter(({ text }) => text.includes('"privileged":true')).map(({ metadata }) => metadata.name);
    deepEqual(privileged, ["delphix-csi-node"]);
    deepEqual(
      objects.filter(({ metadata, kind }) => /engine/u.test(metadata.name) || kind === "Secret"),
      [],
    );
  });

  test("every container requests little enough for a node of two cores, and has its labels", () => {
    for (const { kind, metadata, text } of render()) {
      ok(metadata.labels["app.kubernetes.io/name"] !== undefined, `${kind} ${metadata.name}`);
      for (const [, cpu = ""] of text.matchAll(/"requests":\{"cpu":"(\d+)m"/gu))
        ok(Number(cpu) <= 50, `${metadata.name}: ${cpu}m`);
    }
  });

  for (const chart of ["delphix-storage", "delphix-operator"])
    test(`${chart}: no container is killed for not answering within its first two minutes`, () => {
      const templates = parseAllDocuments(helm("template", {}, chart).out).map((one) => one.toJS()?.spec?.template?.spec ?? {});
      const containers: readonly Probed[] = templates.flatMap((pod) => [
        ...(pod.containers ?? []),
        ...(pod.initContainers ?? []),
      ]);
      const alive = containers.filter(({ livenessProbe }) => livenessProbe !== undefined);
      ok(alive.length > 0);
      for (const { name, livenessProbe = {}, startupProbe = {} } of alive)
        ok(patienceSeconds(livenessProbe) + patienceSeconds(startupProbe) >= 120, name);
    });

  test("every field of the configuration is accepted, and the Secrets that it names are mounted", () => {
    const full = {
      ...dsource,
      group: "Untitled",
      port: 5433,
      database: "orders",
      sslmode: "verify-full",
      sslRootCertSecret: { name: "orders-ca", key: "ca.crt" },
      interval: "1h30m",
      keep: 2,
    };
    const config = { pool: { size: "20Gi", reserve: 500_000_000, fileSystem: "xfs" }, dsources: [full] };
    const { text } = find(render({ engine: { config } }), "StatefulSet", "delphix-engine");
    for (const secret of ["orders-link", "orders-ca"])
      ok(text.includes(`"mountPath":"/etc/delphix-engine/secrets/${secret}"`), secret);
  });

  const mistakes: readonly { name: string; why: string; values: object; want: RegExp }[] = [
    {
      name: "a password in the values",
      why: "it would lie in a ConfigMap and in the release's history",
      values: { engine: { config: { dsources: [{ ...dsource, password: "secret" }] } } },
      want: /dsources/u,
    },
    {
      name: "a misspelled field of a dSource",
      why: "sslMode would silently be sslmode prefer",
      values: { engine: { config: { dsources: [{ ...dsource, sslMode: "require" }] } } },
      want: /sslMode/u,
    },
    {
      name: "a misspelled field of the engine's configuration",
      why: "as above",
      values: { engine: { config: { pools: { size: "1Gi" } } } },
      want: /pools/u,
    },
    {
      name: "a server to be verified without its authority",
      why: "the engine refuses it, too, but later",
      values: { engine: { config: { dsources: [{ ...dsource, sslmode: "verify-full" }] } } },
      want: /sslRootCertSecret/u,
    },
    {
      name: "an empty dSource with a server",
      why: "as above",
      values: { engine: { config: { dsources: [{ ...dsource, empty: true }] } } },
      want: /dsources/u,
    },
    {
      name: "no snapshot to keep",
      why: "as above",
      values: { engine: { config: { dsources: [{ ...dsource, interval: "1d", keep: 0 }] } } },
      want: /keep/u,
    },
    {
      name: "a misspelled value",
      why: "it would silently do nothing",
      values: { engine: { enabeld: false } },
      want: /enabeld/u,
    },
    {
      name: "a misspelled way to install the snapshot-controller",
      why: "a cluster would have two, or none",
      values: { snapshots: { controller: { install: "Auto" } } },
      want: /install/u,
    },
    {
      name: "an owner by name",
      why: "the driver refuses it at every claim; better now",
      values: { csi: { defaults: { ownershipSpec: "postgres" } } },
      want: /ownershipSpec/u,
    },
  ];
  for (const { name, why, values, want } of mistakes)
    test(`refuses ${name}`, () => {
      const { ok: rendered, out } = helm("template", values);
      equal(rendered, false, why);
      match(out, want);
    });
});
