import {
  eventually,
  items,
  type Json,
  type Kubectl,
  newSecret,
  secretYaml,
  text,
  type VdbOptions,
  vdbManifest,
  withEngine,
} from "@vdb/cluster";

export type { VdbOptions };

export async function applyVdb(kubectl: Kubectl, options: VdbOptions): Promise<void> {
  await kubectl.apply(vdbManifest(options));
}

/** Waits for a phase; fails with the object's conditions when it does not come. */
export async function waitForPhase(
  kubectl: Kubectl,
  { name, namespace }: VdbOptions,
  phase: string,
  seconds = 240,
): Promise<Json> {
  return await eventually(`${namespace}/${name} is ${phase}`, seconds, async () => {
    const vdb = await kubectl.get("postgresvdb", name, namespace);
    if (text(vdb, "status", "phase") === phase) return vdb;
    throw new Error(text(vdb, "status"));
  });
}

export type Action = { readonly kind: string; readonly name: string; readonly spec: object };

/** Applies an action on a database. */
export async function beginAction(kubectl: Kubectl, vdb: VdbOptions, { kind, name, spec }: Action): Promise<void> {
  const manifest = {
    apiVersion: "actions.delphix.com/v1alpha1",
    kind,
    metadata: { name, namespace: vdb.namespace },
    spec: { vdbRef: { name: vdb.name }, ...spec },
  };
  await kubectl.apply(JSON.stringify(manifest));
}

/** Waits for an action's end, good or bad. */
export async function endOfAction(kubectl: Kubectl, { namespace }: VdbOptions, { kind, name }: Action): Promise<Json> {
  return await eventually(`${kind} ${name} has ended`, 240, async () => {
    const found = await kubectl.get(kind.toLowerCase(), name, namespace);
    if (["Completed", "Error"].includes(text(found, "status", "phase"))) return found;
    throw new Error(text(found, "status"));
  });
}

export async function runAction(kubectl: Kubectl, vdb: VdbOptions, action: Action): Promise<Json> {
  await beginAction(kubectl, vdb, action);
  return await endOfAction(kubectl, vdb, action);
}

export type Condition = { readonly status: string; readonly reason: string; readonly message: string };

export function condition(vdb: Json, type: string): Condition | undefined {
  const found = items(vdb, "status", "conditions").find((one) => text(one, "type") === type);
  return found === undefined
    ? undefined
    : { status: text(found, "status"), reason: text(found, "reason"), message: text(found, "message") };
}

/** SQL in the VDB's pod by bare psql, as a user types it after `kubectl exec`. */
export async function sqlInPod(kubectl: Kubectl, { name, namespace }: VdbOptions, sql: string): Promise<string> {
  return await kubectl.run(
    ["exec", "-i", "-n", namespace, `deploy/${name}`, "--", "psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-f", "-"],
    { input: sql },
  );
}

export async function deleteVdb(kubectl: Kubectl, { name, namespace }: VdbOptions): Promise<void> {
  await kubectl.run(["delete", "postgresvdb", name, "-n", namespace, "--ignore-not-found", "--timeout=180s"]);
}

/** Those of a namespace: the operator keeps a database whose VolumeSnapshots stand. */
export async function deleteSnapshots(kubectl: Kubectl, namespace: string): Promise<void> {
  await kubectl.run(["delete", "volumesnapshot", "--all", "-n", namespace, "--timeout=120s"]);
}

export async function patchSpec(kubectl: Kubectl, { name, namespace }: VdbOptions, spec: object): Promise<void> {
  await kubectl.run(["patch", "postgresvdb", name, "-n", namespace, "-p", JSON.stringify({ spec }), "--type=merge"]);
}

export const setEnabled = async (kubectl: Kubectl, vdb: VdbOptions, enabled: boolean): Promise<void> =>
  await patchSpec(kubectl, vdb, { enabled });

/** Count and checksum of the rows that pgbench made: equal where the data is. */
export const accountsChecksum = "SELECT count(*), sum(hashtextextended(a::text, 0)) FROM pgbench_accounts a";

/** How many VDBs the engine has, whoever asked for them. */
export async function vdbCount(kubectl: Kubectl): Promise<number> {
  return await withEngine(kubectl, async (engine) => (await engine.searchVdbs()).length);
}

/** The same once what was deleted before is gone: what a later number is compared with. */
export async function settledVdbCount(kubectl: Kubectl): Promise<number> {
  await eventually("no volume is being deleted", 240, async () => {
    const going = (await kubectl.list("pv")).filter(
      (volume) =>
        text(volume, "spec", "persistentVolumeReclaimPolicy") === "Delete" &&
        (text(volume, "status", "phase") === "Released" || text(volume, "metadata", "deletionTimestamp") !== ""),
    );
    return going.length === 0 ? true : undefined;
  });
  return await vdbCount(kubectl);
}

export async function makePasswordSecret(kubectl: Kubectl, { name, namespace }: VdbOptions): Promise<string> {
  const password = newSecret();
  await setPasswordSecret(kubectl, namespace, `${name}-password`, { password });
  return password;
}

export async function setPasswordSecret(
  kubectl: Kubectl,
  namespace: string,
  name: string,
  stringData: Readonly<Record<string, string>>,
): Promise<void> {
  await kubectl.apply(secretYaml(namespace, name, stringData));
}
