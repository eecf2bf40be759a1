import { setTimeout } from "node:timers/promises";
import type { CommandResult } from "./command.ts";
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
  const known = await password(kubectl, endpoint);
  const { exitCode, stdout, stderr } = await psqlOnceReached(kubectl, connection, known, sql, [
    "-v",
    "ON_ERROR_STOP=1",
    ...flags,
  ]);
  if (exitCode === 0) return stdout.trim();
  throw new Error(`psql through svc/${name}: ${stderr.trim()}`);
}

/** What psql says when it has reached no server, so that nothing has run. */
const unreached = /Temporary failure in name resolution|No route to host|Connection refused/u;

/**
 * As tryPsql, asking again for 15 seconds while no server is reached, as an application would: kube-proxy knows the way to a database
 * a moment after it is Ready, and a busy node's DNS may time out once.
 */
export async function psqlOnceReached(...query: Parameters<typeof tryPsql>): Promise<CommandResult> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const result = await tryPsql(...query);
    if (result.exitCode === 0 || !unreached.test(result.stderr) || performance.now() > deadline) return result;
    await setTimeout(100);
  }
}

/** psql in the production pod, which is as far from every database as any client is. */
export async function tryPsql(
  kubectl: Kubectl,
  connection: string,
  knownPassword: string,
  sql: string,
  flags: readonly string[] = ["-qAt"],
): Promise<CommandResult> {
  // The password is the first line of the input: an argument could be read in the process list.
  const script = 'IFS= read -r PGPASSWORD; export PGPASSWORD; exec psql "$@"';
  return await kubectl.try(
    [
      "exec",
      "-i",
      "-n",
      productionNamespace,
      "production-0",
      "--",
      "sh",
      "-c",
      script,
      "psql",
      connection,
      "-X",
      ...flags,
      "-f",
      "-",
    ],
    { input: `${knownPassword}\n${sql};\n` },
  );
}

/** The password in the VDB's Secret. */
export async function password(kubectl: Kubectl, { secret, namespace }: Endpoint): Promise<string> {
  const found = await kubectl.get("secret", secret, namespace);
  return Buffer.from(text(found, "data", "password"), "base64").toString();
}
