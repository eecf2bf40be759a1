/** The Secrets that the engine fills in, against a real API server, with no more rights than the chart's role gives. */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createLog } from "kube-runtime";
import { startApiServer } from "kube-runtime/testing";
import { addApiKey, apiKeys, nameOfApiKey, replaceApiKey, revokeApiKey } from "../src/catalogue/api-keys.ts";
import { openCatalogue } from "../src/catalogue/catalogue.ts";
import { publishCredentials } from "../src/identity/publish.ts";

const manifests = `
apiVersion: v1
kind: Namespace
metadata: { name: storage }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: delphix-engine, namespace: storage }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: credentials, namespace: storage }
rules: [{ apiGroups: [""], resources: [secrets], resourceNames: [delphix-creds], verbs: [get, patch] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: credentials, namespace: storage }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: credentials }
subjects: [{ kind: ServiceAccount, name: delphix-engine, namespace: storage }]
---
apiVersion: v1
kind: Secret
metadata: { name: delphix-creds, namespace: storage }
`;

test("a Secret keeps its valid key, gets another when that is revoked, and keeps one that an administrator puts there", async (t) => {
  await using server = await startApiServer();
  const folder = mkdtempSync(join(tmpdir(), "publish-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const kubectl = (args: readonly string[], input = ""): string =>
    execFileSync("kubectl", [`--kubeconfig=${server.kubeconfig}`, ...args], { input, encoding: "utf8" });
  kubectl(["apply", "-f", "-"], manifests);
  const [, authority = ""] = /certificate-authority-data"?: *"?([\w+/=]+)/u.exec(readFileSync(server.kubeconfig, "utf8")) ?? [];
  for (const [file, text] of [
    ["token", kubectl(["create", "token", "delphix-engine", "-n", "storage"])],
    ["namespace", "storage"],
    ["ca.crt", Buffer.from(authority, "base64").toString()],
  ] as const)
    writeFileSync(join(folder, file), text);
  const read = (key: string): string => {
    const { data } = JSON.parse(kubectl(["get", "secret", "delphix-creds", "-n", "storage", "-o", "json"]));
    return Buffer.from(data?.[key] ?? "", "base64").toString();
  };
  using catalogue = openCatalogue(join(folder, "catalogue.db"));
  const lines: string[] = [];
  const stopping = new AbortController();
  const published = publishCredentials({
    pod: { host: server.url.hostname, port: server.url.port, folder },
    namespaces: ["storage"],
    credentials: {
      url: "https://engine",
      caPem: "CA",
      isValid: (key) => nameOfApiKey(catalogue, key) !== undefined,
      issue: (name) => replaceApiKey(catalogue, name),
    },
    log: createLog({ destination: { write: (line) => void lines.push(line) } }),
    signal: stopping.signal,
    againMs: 100,
  });
  const until = async (holds: () => boolean): Promise<void> => {
    for (let left = 100; !holds(); left -= 1) {
      equal(left > 0, true, lines.join(""));
      await sleep(100);
    }
  };
  await until(() => read("DCT_KEY") !== "");
  const first = read("DCT_KEY");
  deepEqual([read("DCT_URL"), read("ca.crt")], ["https://engine", "CA"]);
  equal(nameOfApiKey(catalogue, first), "storage/delphix-creds");
  await sleep(500);
  equal(read("DCT_KEY"), first);
  revokeApiKey(catalogue, "storage/delphix-creds");
  await until(() => read("DCT_KEY") !== first);
  notEqual(nameOfApiKey(catalogue, read("DCT_KEY")), undefined);
  const own = addApiKey(catalogue, "operator");
  kubectl(["patch", "secret", "delphix-creds", "-n", "storage", "-p", JSON.stringify({ stringData: { DCT_KEY: own } })]);
  await sleep(500);
  equal(read("DCT_KEY"), own);
  equal(apiKeys(catalogue).length, 2);
  stopping.abort();
  await published;
  match(lines.join(""), /credentials published/u);
});
