import { cloneBytes } from "../stack/engine.ts";
import { operatorNamespace } from "../stack/install.ts";
import { text } from "../stack/json.ts";
import { eventually, type Kubectl } from "../stack/kubectl.ts";
import { ensureSecret } from "../stack/production.ts";
import { psqlThroughService } from "../stack/psql.ts";
import { applyAndFollow } from "./phases.ts";
import { bytes, say } from "./progress.ts";

export const demoVdb = {
  kind: "PostgresVDB",
  name: "my-postgres-vdb",
  namespace: operatorNamespace,
  secret: "my-db-password",
  port: 5493,
  user: "postgres",
  database: "postgres",
} as const;
type DemoVdb = typeof demoVdb;
const query =
  "SELECT count(*) AS accounts, pg_size_pretty(pg_database_size('postgres')) AS size, version() FROM pgbench_accounts";

/** Applies the specification's manifest and prints each phase as it comes. Returns the seconds from the apply to Ready. */
export async function provisionDemoVdb(kubectl: Kubectl, vdb: DemoVdb): Promise<number> {
  await ensureSecret(kubectl, vdb.namespace, vdb.secret, ["password"]);
  return await applyAndFollow(kubectl, vdb, { done: "Ready", seconds: 180 });
}

/** The demo shows a VDB coming up: one of an earlier run goes first, in the way a user deletes it. */
export async function removeOldVdb(kubectl: Kubectl, vdb: DemoVdb): Promise<void> {
  if ((await kubectl.get("postgresvdb", vdb.name, vdb.namespace)) === undefined) return;
  say(`kubectl delete postgresvdb ${vdb.name} -n ${vdb.namespace} (from an earlier run)`);
  await kubectl.run(["delete", "postgresvdb", vdb.name, "-n", vdb.namespace, "--timeout=180s"]);
}

/** Prints the answer to a query through the Service. */
export async function showAnswer(kubectl: Kubectl, vdb: DemoVdb): Promise<void> {
  const answer = await psqlThroughService(kubectl, vdb, query, ["--expanded"]);
  console.log(`\nThe virtual database answers through its Service:\n\n${answer.trim()}\n`);
}

/** What the clone costs, in words; taken while it is fresh. */
export async function describeBytes(kubectl: Kubectl, vdb: DemoVdb): Promise<string> {
  const { clone, source } = await eventually("the engine knows the clone's bytes", 30, async () => await sizes(kubectl, vdb));
  return `${bytes(clone)}, beside ${bytes(source)} of its source`;
}

async function sizes(kubectl: Kubectl, { name, namespace }: DemoVdb): Promise<{ clone: number; source: number } | undefined> {
  const vdb = await kubectl.get("postgresvdb", name, namespace);
  return await cloneBytes(kubectl, text(vdb, "status", "delphixID"));
}
