/** A server certificate from a Secret as cert-manager writes it, on a real kubelet: clients verify the server by name. */
import { deepEqual, equal, match } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, items, type Json, testCluster, text } from "@vdb/cluster";
import { livePods, podsOf } from "./pods.ts";
import { applyVdb, condition, deleteVdb, makePasswordSecret, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const namespace = "pg-operator";
const vdb = { name: "with-tls", namespace, spec: { tls: { secretName: "with-tls-certificate" } } };
const host = `${vdb.name}.${namespace}.svc`;

interface Issued {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const openssl = (...args: string[]): void => void execFileSync("openssl", args, { stdio: "pipe" });

/** An authority and a certificate of its for the Service's name. */
function issue(): Issued {
  const folder = mkdtempSync(join(tmpdir(), "authority-"));
  const file = (name: string): string => join(folder, name);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  try {
    openssl("req", "-x509", ...key, "-days", "2", "-subj", "/CN=an authority", "-keyout", file("ca.key"), "-out", file("ca.crt"));
    openssl("req", "-new", ...key, "-subj", `/CN=${vdb.name}`, "-keyout", file("tls.key"), "-out", file("tls.csr"));
    writeFileSync(file("names"), `subjectAltName=DNS:${host}`);
    const by = ["-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", file("names")];
    openssl("x509", "-req", "-in", file("tls.csr"), ...by, "-out", file("tls.crt"));
    const read = (name: string): string => readFileSync(file(name), "utf8");
    return { ca: read("ca.crt"), cert: read("tls.crt"), key: read("tls.key") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function store({ ca, cert, key }: Issued): Promise<void> {
  await kubectl.apply(
    JSON.stringify({
      apiVersion: "v1",
      kind: "Secret",
      type: "kubernetes.io/tls",
      metadata: { name: vdb.spec.tls.secretName, namespace },
      stringData: { "ca.crt": ca, "tls.crt": cert, "tls.key": key },
    }),
  );
}

const look = async (kind: string, name: string): Promise<void> =>
  void (await kubectl.run(["annotate", kind, name, "-n", namespace, "--overwrite", `look=${Date.now()}`]));

/** Lets kubelet and operator look at once, which they would do within a minute and half a minute. */
async function hasten(): Promise<void> {
  await look("pod", text(await podOf(), "metadata", "name"));
  await sleep(10_500); // more often the operator does not ask a pod
  await look("postgresvdb", vdb.name);
}

async function podOf(): Promise<Json | undefined> {
  return (await livePods(kubectl, podsOf(vdb)))[0];
}

const identity = (pod: Json | undefined): string =>
  `${text(pod, "metadata", "uid")} ${text(pod, "status", "containerStatuses", 0, "restartCount")}`;

/** psql in another pod, which trusts that authority. What it is let in with, or why it is not. */
async function client(password: string, { ca }: Issued, mode = "verify-full"): Promise<string> {
  const script = `IFS= read -r PGPASSWORD; export PGPASSWORD; root=$(mktemp); cat >$root; psql "$1 sslrootcert=$root" -XqAtc "$2"; rm $root`;
  const connection = `host=${host} port=5432 user=postgres dbname=postgres connect_timeout=10 sslmode=${mode}`;
  const question = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
  const { stdout, stderr } = await kubectl.try(
    ["exec", "-i", "-n", "production", "production-0", "--", "sh", "-c", script, "psql", connection, question],
    { input: `${password}\n${ca}` },
  );
  return (stdout || stderr).trim();
}

async function untilCertificate(reason: string): Promise<Json> {
  return await eventually(`CertificateCurrent says ${reason}`, 240, async () => {
    const found = (await kubectl.get("postgresvdb", vdb.name, namespace)) ?? {};
    if (condition(found, "CertificateCurrent")?.reason === reason) return found;
    throw new Error(JSON.stringify(condition(found, "CertificateCurrent")));
  });
}

describe("TLS for clients", { timeout: 900_000 }, () => {
  const [first, second] = [issue(), issue()];
  let password = "";
  before(async () => {
    password = await makePasswordSecret(kubectl, vdb);
    await kubectl.run(["delete", "secret", vdb.spec.tls.secretName, "-n", namespace, "--ignore-not-found"]);
    await applyVdb(kubectl, vdb);
  });
  after(async () => await deleteVdb(kubectl, vdb));

  test("without the Secret the gate stays shut, and the database says what is missing", async () => {
    const found = await untilCertificate("CertificateMissing");
    match(condition(found, "CertificateCurrent")?.message ?? "", /with-tls-certificate in namespace pg-operator does not exist/u);
    const slices = await kubectl.list("endpointslices", ["-n", namespace, "-l", `kubernetes.io/service-name=${vdb.name}`]);
    deepEqual(
      slices.flatMap((slice) => items(slice, "endpoints")),
      [],
    );
  });

  test("with the Secret the same container serves TLS, clients verify it by name, and nobody is let in without", async () => {
    const former = identity(await podOf());
    await store(first);
    await hasten();
    const ready = await waitForPhase(kubectl, vdb, "Ready");
    equal(condition(ready, "CertificateCurrent")?.reason, "InForce");
    equal(identity(await podOf()), former);
    equal(await client(password, first), "TLSv1.3");
    match(await client(password, second), /certificate verify failed/u);
    match(await client(password, first, "disable"), /no encryption/u);
  });

  test("a renewed Secret is served without a restart", async () => {
    const former = identity(await podOf());
    await store(second);
    await hasten();
    await eventually("the new one is served", 240, async () => {
      equal(await client(password, second), "TLSv1.3");
      return true;
    });
    match(await client(password, first), /certificate verify failed/u);
    equal(identity(await podOf()), former);
  });

  test("a key that is another's is told, the former certificate stays in force, and the database stays Ready", async () => {
    await store({ ...first, key: second.key });
    await hasten();
    const found = await untilCertificate("CertificateRefused");
    match(condition(found, "CertificateCurrent")?.message ?? "", /key values mismatch.*the earlier one stays in force/u);
    equal(text(found, "status", "phase"), "Ready");
    equal(await client(password, second), "TLSv1.3");
  });
});
