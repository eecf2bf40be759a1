import { equal, ok } from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  configMaps,
  createClient,
  defineResource,
  type HttpApi,
  httpApi,
  type KubeObject,
  loadConnection,
} from "../src/index.ts";
import { startApiServer, type TestApiServer } from "../src/testing/index.ts";
import { issueCertificate, makeAuthority } from "./testing/client-certificates.ts";

/** Client certificates that are rotated on disk while the program runs. */

const patienceMs = 60_000;

let folder: string;
let server: TestApiServer;
let kubeconfig: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "certificates-"));
  const authority = await makeAuthority(folder);
  server = await startApiServer({ flags: [`--client-ca-file=${authority}`] });
  kubeconfig = join(folder, "kubeconfig");
  const { ca } = await server.connection.tls();
  const cluster = { server: server.url.origin, "certificate-authority-data": Buffer.from(String(ca)).toString("base64") };
  const user = { "client-certificate": join(folder, "client.crt"), "client-key": join(folder, "client.key") };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
  await writeFile(kubeconfig, JSON.stringify(config));
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const reviews = defineResource<KubeObject>({
  group: "authentication.k8s.io",
  version: "v1",
  kind: "SelfSubjectReview",
  plural: "selfsubjectreviews",
  namespaced: false,
});

/** Who the API server takes us for. */
async function whoAmI(api: HttpApi, signal: AbortSignal): Promise<string> {
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  const answer = await api.call({ verb: "create", resource: reviews, query: {}, body, timeoutSeconds: 10 }, signal);
  return /"username":"([^"]*)"/u.exec(JSON.stringify(answer))?.[1] ?? "nobody";
}

test("a client certificate that is rotated on disk is taken up, and by a new connection at once; a watch goes on", async (t) => {
  const { signal } = t;
  await issueCertificate(folder, "first");
  await using adminApi = httpApi(server.connection);
  const admin = createClient(adminApi, { fieldManager: "test" });
  await allowEverything(admin, signal);
  await using api = httpApi(await loadConnection({ kubeconfig }));
  equal(await whoAmI(api, signal), "first");
  const stop = new AbortController();
  const seen: string[] = [];
  const watch = async (): Promise<void> => {
    for await (const event of createClient(api, { fieldManager: "t" }).watch(configMaps, { namespace: "default" }, stop.signal)) {
      if (event.type !== "bookmark") seen.push(event.object.metadata.name);
    }
  };
  const watching = watch().catch(() => undefined);
  await issueCertificate(folder, "second");
  await using fresh = httpApi(await loadConnection({ kubeconfig }));
  equal(await whoAmI(fresh, signal), "second", "a new connection was made with the old certificate");
  const from = performance.now();
  while ((await whoAmI(api, signal)) !== "second") {
    ok(performance.now() - from < patienceMs, "the rotated certificate was not taken up");
    await delay(250);
  }
  t.diagnostic(`taken up after ${Math.round((performance.now() - from) / 1000)} s; 20 s on an idle machine`);
  await admin.create(configMaps, { metadata: { namespace: "default", name: "later" } }, signal);
  while (!seen.includes("later")) {
    ok(performance.now() - from < 2 * patienceMs, "the watch was cut or hangs");
    await delay(20);
  }
  stop.abort(new Error("over"));
  await watching;
});

async function allowEverything(admin: ReturnType<typeof createClient>, signal: AbortSignal): Promise<void> {
  const bindings = defineResource<KubeObject & { readonly roleRef: object; readonly subjects: readonly object[] }>({
    group: "rbac.authorization.k8s.io",
    version: "v1",
    kind: "ClusterRoleBinding",
    plural: "clusterrolebindings",
    namespaced: false,
  });
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" };
  const subjects = ["first", "second"].map((name) => ({ apiGroup: "rbac.authorization.k8s.io", kind: "User", name }));
  await admin.create(bindings, { metadata: { name: "certificates" }, roleRef, subjects }, signal);
}
