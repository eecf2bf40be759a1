/** The demo in a cluster of the user's: what it may make, what it takes away again, each after asking. */
import { releases } from "../stack/install.ts";
import { text } from "../stack/json.ts";
import type { Kubectl } from "../stack/kubectl.ts";
import { demoNamespaces, look, obstacles, type Removal, removal } from "./standing.ts";

const volumeSnapshots = "volumesnapshots.snapshot.storage.k8s.io";

export type Talk = {
  readonly context: string;
  readonly say: (message: string) => void;
  readonly agreed: (question: string) => Promise<boolean>;
};

/** Comes back when the demo may be installed; changes nothing. */
export async function askToInstall(kubectl: Kubectl, { context, say, agreed }: Talk): Promise<void> {
  const found = obstacles(await look(kubectl));
  if (found.length > 0)
    throw new Error(
      `The demo is not installed into context ${context}:\n  ${found.join("\n  ")}\n` +
        "Remove them there, or choose another cluster; without CLUSTER=current the demo makes one of its own. The context is unchanged.",
    );
  say(`In context ${context} the demo creates or updates:
  namespaces ${demoNamespaces.join(", ")}, and in them a PostgreSQL with 300 MB of data and a PostgresVDB
  Helm releases ${names(releases)}, and of the whole cluster their
    resource definitions, roles, storage and snapshot classes and CSI driver; the storage runs as root on a node
  a snapshot-controller in a namespace of its own, unless the cluster has one
  container images, brought to its nodes or to REGISTRY`);
  if (!(await agreed(`Install the demo into ${context}?`)))
    throw new Error("The demo is not installed. Set YES=1, or answer yes, to go on.");
}

/** Deletes what the demo made, actions, snapshots and VDBs first, while operator and driver can clean up after them. */
export async function removeDemo(kubectl: Kubectl, { context, say, agreed }: Talk): Promise<void> {
  const standing = await look(kubectl);
  const what = removal(standing);
  const kept = Object.keys(standing.namespaces).filter((name) => !what.namespaces.includes(name));
  for (const name of kept) say(`Namespace ${name} stays: the demo did not create it`);
  if (what.namespaces.length === 0) {
    say(`Context ${context} contains nothing of the demo`);
    return;
  }
  say(`This deletes from context ${context}, with all data:\n${listed(what)}`);
  if (!(await agreed(`Delete this from ${context}?`)))
    throw new Error("The demo is not deleted. Set YES=1, or answer yes, to go on.");
  await remove(kubectl, what);
  say(
    "The resource definitions stay, and /var/lib/delphix-engine on the engine's node: docs/operations.md, Uninstalling, says how to remove them",
  );
}

/** An action that still works is taken back, and a VolumeSnapshot keeps the volume of its VDB: neither can go without the releases. */
async function removeWork(kubectl: Kubectl, namespaces: readonly string[]): Promise<void> {
  const definitions = (await kubectl.list("crd", [])).map((one) => text(one, "metadata", "name"));
  const kinds = definitions.filter((name) => name.endsWith(".actions.delphix.com") || name === volumeSnapshots);
  if (kinds.length === 0) return;
  for (const namespace of namespaces) await kubectl.run(["delete", kinds.join(","), "--all", "-n", namespace, "--timeout=300s"]);
}

async function remove(kubectl: Kubectl, what: Removal): Promise<void> {
  await removeWork(kubectl, what.namespaces);
  for (const vdb of what.vdbs) {
    const [namespace = "", name = ""] = vdb.split("/");
    await kubectl.run(["delete", "postgresvdb", name, "-n", namespace, "--ignore-not-found", "--timeout=300s"]);
  }
  for (const { chart, namespace } of what.releases)
    await kubectl.helm(["uninstall", chart, "-n", namespace, "--ignore-not-found", "--wait", "--timeout", "3m"]);
  for (const namespace of what.namespaces)
    await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s"]);
}

function listed({ vdbs, releases: uninstalled, namespaces }: Removal): string {
  const lines = [
    ...(vdbs.length === 0 ? [] : [`PostgresVDBs ${vdbs.join(", ")}`]),
    ...(uninstalled.length === 0 ? [] : [`Helm releases ${names(uninstalled)}`]),
    `namespaces ${namespaces.join(", ")}`,
  ];
  return lines.map((line) => `  ${line}`).join("\n");
}

const names = (all: Removal["releases"]): string => all.map(({ chart, namespace }) => `${namespace}/${chart}`).join(", ");
