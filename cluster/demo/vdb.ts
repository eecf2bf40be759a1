import { readFileSync } from "node:fs";
import { cloneBytes } from "../stack/engine.ts";
import { operatorNamespace } from "../stack/install.ts";
import { text } from "../stack/json.ts";
import { eventually, type Kubectl } from "../stack/kubectl.ts";
import { ensureSecret } from "../stack/production.ts";
import { psqlThroughService } from "../stack/psql.ts";
import { bytes, say } from "./progress.ts";

export const demoVdb = { name: "my-postgres-vdb", namespace: operatorNamespace, secret: "my-db-password", port: 5493 } as const;
type DemoVdb = typeof demoVdb;
const query =
  "SELECT count(*) AS accounts, pg_size_pretty(pg_database_size('postgres')) AS size, version() FROM pgbench_accounts";

/** Applies the specification's manifest, prints each phase as it comes, and ends with a query through the Service and how to go on. */
export async function provisionDemoVdb(kubectl: Kubectl, vdb: DemoVdb): Promise<void> {
  await removeOld(kubectl, vdb);
  await ensureSecret(kubectl, vdb.namespace, vdb.secret, ["password"]);
  const from = performance.now();
  say(`kubectl apply -f cluster/demo/${vdb.name}.yaml`);
  await kubectl.apply(readFileSync(new URL(`${vdb.name}.yaml`, import.meta.url), "utf8"));
  await followPhases(kubectl, vdb, 180);
  const readySeconds = (performance.now() - from) / 1000;
  const answer = await psqlThroughService(kubectl, { ...vdb, user: "postgres", database: "postgres" }, query, ["--expanded"]);
  await report(kubectl, vdb, readySeconds, answer);
}

/** The demo shows a VDB coming up: one of an earlier run goes first, in the way a user deletes it. */
async function removeOld(kubectl: Kubectl, vdb: DemoVdb): Promise<void> {
  if ((await kubectl.get("postgresvdb", vdb.name, vdb.namespace)) === undefined) return;
  say(`kubectl delete postgresvdb ${vdb.name} -n ${vdb.namespace} (from an earlier run)`);
  await kubectl.run(["delete", "postgresvdb", vdb.name, "-n", vdb.namespace, "--timeout=180s"]);
}

async function followPhases(kubectl: Kubectl, { name, namespace }: DemoVdb, seconds: number): Promise<void> {
  let last = "";
  const watching = new AbortController();
  // kubectl aligns tabs with spaces, so another sign parts the two.
  const jsonpath = "jsonpath={.status.phase}|{.status.lastError}{'\\n'}";
  const watch = kubectl.try(["get", "postgresvdb", name, "-n", namespace, "-w", "-o", jsonpath], {
    signal: watching.signal,
    onLine: (line) => {
      const [phase = "", error = ""] = line.split("|");
      if (line !== last && phase !== "") say(`  ${phase}${error === "" ? "" : `: ${error}`}`);
      last = line;
      if (phase === "Ready") watching.abort();
    },
  });
  const timer = setTimeout(() => watching.abort(), seconds * 1000);
  await watch;
  clearTimeout(timer);
  if (!last.startsWith("Ready")) {
    const described = await kubectl.run(["describe", "postgresvdb", name, "-n", namespace]);
    throw new Error(`PostgresVDB ${namespace}/${name} did not become Ready within ${seconds} s.\n${described}`);
  }
}

async function report(kubectl: Kubectl, vdb: DemoVdb, readySeconds: number, answer: string): Promise<void> {
  const { clone, source } = await eventually("the engine knows the clone's bytes", 30, async () => await sizes(kubectl, vdb));
  const { name, namespace, port, secret } = vdb;
  const kubeconfig = `export KUBECONFIG=${kubectl.kubeconfig}`;
  console.log(`
The virtual database answers through its Service:

${answer.trim()}

From apply to Ready: ${readySeconds.toFixed(1)} s
Bytes of its own:    ${bytes(clone)}, beside ${bytes(source)} of its source

Connect:
  ${kubeconfig}
  export PGPASSWORD=$(.local/bin/kubectl get secret ${secret} -n ${namespace} -o jsonpath='{.data.password}' | base64 -d)
  .local/bin/kubectl port-forward svc/${name} ${port}:${port} -n ${namespace} &
  .local/bin/psql -h localhost -p ${port} -U postgres -d postgres
or inside the pod, without a password:
  .local/bin/kubectl exec -it deploy/${name} -n ${namespace} -- psql

Clean up:
  .local/bin/kubectl delete postgresvdb ${name} -n ${namespace}    # this virtual database
  make demo-down                                             # everything`);
}

async function sizes(kubectl: Kubectl, { name, namespace }: DemoVdb): Promise<{ clone: number; source: number } | undefined> {
  const vdb = await kubectl.get("postgresvdb", name, namespace);
  return await cloneBytes(kubectl, text(vdb, "status", "delphixID"));
}
