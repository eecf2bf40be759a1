import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { entries } from "./json.ts";
import { eventually, type Kubectl } from "./kubectl.ts";
import { postgresVersion } from "./postgres-image.ts";

export const productionNamespace = "production";
export const linkRole = "delphix_link";
/** The Secret in the engine's namespace that holds the link role's password under the key `password`. */
export const linkSecret = "production-link";
const manifest = new URL("production.yaml", import.meta.url);

/** A database that stands for production: everything of it lies in a namespace of its own. */
export type Production = {
  readonly namespace: string;
  /** `major.minor` or another tag of image postgres. */
  readonly version: string;
};
const production: Production = { namespace: productionNamespace, version: postgresVersion };

/** Starts the production database, or leaves the one that stands alone. Ready when it answers queries. */
export async function startProduction(kubectl: Kubectl, storageNamespace: string): Promise<void> {
  const password = await startDatabase(kubectl, production);
  await kubectl.apply(secretYaml(storageNamespace, linkSecret, { password }));
}

/** The same for any database that stands for production; gives back the link role's password. */
export async function startDatabase(kubectl: Kubectl, which: Production): Promise<string> {
  const { namespace, version } = which;
  await ensureNamespace(kubectl, namespace);
  const { link = "" } = await ensureSecret(kubectl, namespace, "production-passwords", ["postgres", "link"]);
  const yaml = readFileSync(manifest, "utf8").replaceAll("namespace: production ", `namespace: ${namespace} `);
  await kubectl.apply(yaml.replace("image: postgres:16.2", `image: postgres:${version}`));
  await kubectl.run(["rollout", "status", "statefulset/production", "-n", namespace, "--timeout=180s"]);
  await eventually("the production database answers", 60, async () => await productionSql(kubectl, "SELECT 1", which));
  return link;
}

/**
 * Fills the production database by pgbench once; `scale` 1 is 100,000 accounts, about 16 MB. Does nothing when it is filled:
 * the key of the accounts is what pgbench makes last. What an interrupted run left, pgbench drops by itself.
 */
export async function loadProduction(kubectl: Kubectl, scale: number, which = production): Promise<void> {
  const filled = await productionSql(kubectl, "SELECT to_regclass('pgbench_accounts_pkey') IS NOT NULL", which);
  if (filled === "t") return;
  // A pgbench whose kubectl was killed goes on in its pod, and the two would fill each other's tables.
  await productionSql(
    kubectl,
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'pgbench'",
    which,
  );
  await kubectl.run([
    "exec",
    "-n",
    which.namespace,
    "production-0",
    "--",
    "pgbench",
    "-q",
    "-i",
    "-s",
    String(scale),
    "-U",
    "postgres",
    "postgres",
  ]);
}

/** The answer of one statement on the production database, unaligned, rows by lines. */
export async function productionSql(kubectl: Kubectl, sql: string, { namespace } = production): Promise<string> {
  return await kubectl.run(
    [
      "exec",
      "-i",
      "-n",
      namespace,
      "production-0",
      "--",
      "psql",
      "-U",
      "postgres",
      "-d",
      "postgres",
      "-qXAt",
      "-v",
      "ON_ERROR_STOP=1",
      "-f",
      "-",
    ],
    { input: sql },
  );
}

/** On each namespace that the demo and the tests make: what does not bear it is a user's, and is left alone. */
export const madeLabel = "delphix.com/demo";

export async function ensureNamespace(kubectl: Kubectl, name: string, podSecurity?: "restricted" | "privileged"): Promise<void> {
  const enforce = podSecurity === undefined ? {} : { "pod-security.kubernetes.io/enforce": podSecurity };
  const labels = { [madeLabel]: "true", ...enforce };
  await kubectl.apply(JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } }));
}

/** Every secret that the demo and the tests make begins so: e2e/secrets.test.ts looks where else it is. */
export const secretMark = "vdbsecret";
export const newSecret = (): string => `${secretMark}${randomBytes(18).toString("base64url")}`;

/** Makes a Secret of random passwords, or gives back the values of the one that is there. */
export async function ensureSecret(
  kubectl: Kubectl,
  namespace: string,
  name: string,
  keys: readonly string[],
): Promise<Record<string, string>> {
  const found = await kubectl.get("secret", name, namespace);
  if (found !== undefined)
    return Object.fromEntries(entries(found, "data").map(([key, value]) => [key, Buffer.from(value, "base64").toString()]));
  const values = Object.fromEntries(keys.map((key) => [key, newSecret()]));
  await kubectl.apply(secretYaml(namespace, name, values));
  return values;
}

/** JSON is YAML: no value needs quoting, and it reaches kubectl by its standard input, not as an argument. */
export function secretYaml(namespace: string, name: string, stringData: Readonly<Record<string, string>>): string {
  return JSON.stringify({ apiVersion: "v1", kind: "Secret", type: "Opaque", metadata: { name, namespace }, stringData });
}
