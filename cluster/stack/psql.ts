import { text } from "./json.ts";
import type { Kubectl } from "./kubectl.ts";
import { productionNamespace } from "./production.ts";

/** Where a VDB answers, and the Secret that opens it. */
export type Endpoint = {
  readonly name: string;
  readonly namespace: string;
  readonly port: number;
  readonly secret: string;
  readonly user: string;
  readonly database: string;
};

/** A query from another pod through the VDB's Service and the cluster's DNS, as an application would send it. */
export async function psqlThroughService(
  kubectl: Kubectl,
  endpoint: Endpoint,
  sql: string,
  flags: readonly string[] = ["-qAt"],
): Promise<string> {
  const { name, namespace, port, user, database } = endpoint;
  const connection = `host=${name}.${namespace}.svc port=${port} user=${user} dbname=${database} connect_timeout=5`;
  // The password is the first line of the input: an argument could be read in the process list.
  const script = 'IFS= read -r PGPASSWORD; export PGPASSWORD; exec psql "$@"';
  const args = ["exec", "-i", "-n", productionNamespace, "production-0", "--", "sh", "-c", script, "psql", connection, "-X"];
  const input = `${await password(kubectl, endpoint)}\n${sql};\n`;
  for (let tries = 1; ; tries += 1) {
    const { exitCode, stdout, stderr } = await kubectl.try([...args, "-v", "ON_ERROR_STOP=1", ...flags, "-f", "-"], { input });
    if (exitCode === 0) return stdout.trim();
    // A busy node's DNS may time out once; nothing has run then, and an application would ask again.
    if (tries === 3 || !stderr.includes("Temporary failure in name resolution"))
      throw new Error(`psql through svc/${name}: ${stderr.trim()}`);
  }
}

/** The password in the VDB's Secret. */
export async function password(kubectl: Kubectl, { secret, namespace }: Endpoint): Promise<string> {
  const found = await kubectl.get("secret", secret, namespace);
  return Buffer.from(text(found, "data", "password"), "base64").toString();
}
