import { randomBytes } from "node:crypto";
import { eventually, items, type Json, type Kubectl, text } from "@vdb/cluster";

/** One PostgresVDB of a test: what its manifest says beside the defaults. */
export type VdbOptions = { readonly name: string; readonly namespace: string; readonly spec?: Readonly<Record<string, unknown>> };

/** A small VDB of the production source, asking for little of the node: many tests share two cores. */
export function vdbManifest({ name, namespace, spec = {} }: VdbOptions): string {
  return JSON.stringify({
    apiVersion: "core.delphix.com/v1alpha1",
    kind: "PostgresVDB",
    metadata: { name, namespace },
    spec: {
      source: { type: "dct-source", reference: "delphix-engine:production" },
      vdbGroupName: "Untitled",
      envName: "dev-env",
      image: "postgres:16.2",
      database: { name: "postgres", user: "postgres", passwordSecretRef: `${name}-password` },
      resources: { requests: { cpu: "50m", memory: "128Mi" } },
      ...spec,
    },
  });
}

export async function applyVdb(kubectl: Kubectl, options: VdbOptions): Promise<void> {
  await kubectl.apply(vdbManifest(options));
}

/** Waits for a phase; fails with the object's conditions when it does not come. */
export async function waitForPhase(
  kubectl: Kubectl,
  { name, namespace }: VdbOptions,
  phase: string,
  seconds = 120,
): Promise<Json> {
  return await eventually(`${namespace}/${name} is ${phase}`, seconds, async () => {
    const vdb = await kubectl.get("postgresvdb", name, namespace);
    if (text(vdb, "status", "phase") === phase) return vdb;
    throw new Error(text(vdb, "status"));
  });
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

export async function makePasswordSecret(kubectl: Kubectl, { name, namespace }: VdbOptions): Promise<string> {
  const password = randomBytes(12).toString("base64url");
  await setPasswordSecret(kubectl, namespace, `${name}-password`, { password });
  return password;
}

export async function setPasswordSecret(
  kubectl: Kubectl,
  namespace: string,
  name: string,
  stringData: Readonly<Record<string, string>>,
): Promise<void> {
  await kubectl.apply(
    JSON.stringify({ apiVersion: "v1", kind: "Secret", type: "Opaque", metadata: { name, namespace }, stringData }),
  );
}
