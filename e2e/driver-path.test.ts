/** The driver without the operator: an annotated claim and a pod of one's own. */
import { equal, match } from "node:assert/strict";
import { after, test } from "node:test";
import { ensureNamespace, eventually, productionSql, testCluster } from "@vdb/cluster";
import { accountsChecksum, vdbCount } from "./vdb.ts";

const kubectl = await testCluster();
const namespace = "driver-path";

const claim = (annotations: Readonly<Record<string, string>>, name: string): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace, annotations },
    spec: { storageClassName: "de-fs-storage", accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  });

const pod = JSON.stringify({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "my-postgres", namespace },
  spec: {
    securityContext: { runAsUser: 999, runAsGroup: 999, runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "postgres",
        image: "postgres:16.2",
        command: ["postgres", "-D", "/mnt/postgres/data", "-c", "listen_addresses=", "-c", "unix_socket_directories=/tmp"],
        env: [{ name: "PGHOST", value: "/tmp" }],
        readinessProbe: { exec: { command: ["pg_isready", "-q"] }, periodSeconds: 1 },
        volumeMounts: [{ name: "data", mountPath: "/mnt/postgres" }],
      },
    ],
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: "my-copy" } }],
  },
});

after(async () => void (await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=240s"])));

test("an annotated claim and a pod of one's own hold the source's data; deleted, the DCT VDB goes", {
  timeout: 900_000,
}, async () => {
  const before = await vdbCount(kubectl);
  await ensureNamespace(kubectl, namespace);
  await kubectl.apply(
    claim({ engineName: "delphix-engine", sourceDBName: "production", vdbGroupName: "Untitled", envName: "dev-env" }, "my-copy"),
  );
  await kubectl.apply(pod);
  await kubectl.run(["wait", "--for=condition=Ready", "pod/my-postgres", "-n", namespace, "--timeout=240s"]);
  const answer = await kubectl.run(
    ["exec", "-i", "-n", namespace, "my-postgres", "--", "psql", "-U", "postgres", "-qXAt", "-f", "-"],
    { input: accountsChecksum },
  );
  equal(answer, await productionSql(kubectl, accountsChecksum));
  equal(await vdbCount(kubectl), before + 1);
  await kubectl.run(["delete", "pod/my-postgres", "-n", namespace, "--timeout=180s"]);
  await kubectl.run(["delete", "pvc/my-copy", "-n", namespace, "--timeout=180s"]);
  await eventually("the DCT VDB is gone", 180, async () => ((await vdbCount(kubectl)) === before ? true : undefined));
});

test("a claim of a source that does not exist says so in its events, and waits", { timeout: 300_000 }, async () => {
  await ensureNamespace(kubectl, namespace);
  await kubectl.apply(claim({ engineName: "delphix-engine", sourceDBName: "absent" }, "of-nothing"));
  const message = await eventually("an event names the source", 120, async () => {
    const said = await kubectl.run([
      "get",
      "events",
      "-n",
      namespace,
      "--field-selector",
      "involvedObject.name=of-nothing,type=Warning",
      "-o",
      "jsonpath={.items[*].message}",
    ]);
    return said === "" ? undefined : said;
  });
  match(message, /absent/u);
});
