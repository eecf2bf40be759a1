/** A server's certificate from a mounted Secret, on PostgreSQL 16.2: served, renewed, refused, missing. */
import { deepEqual, equal, match } from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Certificate, selfSignedCertificate } from "kube-runtime/testing";
import { hbaFile } from "../src/postgres/hba.ts";
import { type TlsResult, tlsCommand, tlsResult } from "../src/postgres/tls.ts";
import { newCluster, type Pod, programs, scratch, startPod, writeMounted } from "./testing/postgres.ts";
import { answering } from "./testing/started.ts";
import { until } from "./testing/until.ts";

const folder = scratch();
const secret = join(folder.path, "secret");
const mount = join(folder.path, "tls");
const hba = hbaFile("x", "open", "Refuse");
const mountSecret = ({ key, cert }: Certificate): void => writeMounted(secret, { "tls.crt": cert, "tls.key": key });

/** As a client that verifies the server by that certificate: what it is let in with, or why it is not. */
function client(pod: Pod, trusted: Certificate, mode = "verify-full"): string {
  const root = join(folder.path, "root.crt");
  writeFileSync(root, trusted.cert);
  const connection = `host=localhost port=${pod.port} user=postgres dbname=postgres sslmode=${mode} sslrootcert=${root}`;
  const question = "SELECT coalesce((SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl), 'none')";
  try {
    return execFileSync(join(programs, "psql"), [connection, "-qXAtc", question], {
      env: { PGPASSWORD: "correct-horse", LC_ALL: "C" },
      encoding: "utf8",
      stdio: "pipe",
    }).trim();
  } catch (error) {
    return error instanceof Error && "stderr" in error ? String(error.stderr).trim() : String(error);
  }
}
const look = (pod: Pod): TlsResult => tlsResult(pod.exec(tlsCommand));
const served = (pod: Pod, by: Certificate): boolean => client(pod, by) === "TLSv1.3";
const untilServed = async (pod: Pod, by: Certificate): Promise<void> =>
  void (await until("it is served", () => (served(pod, by) ? true : undefined)));
const start = async (): Promise<Pod> => {
  const pod = await answering(await startPod(mount, { contentId: "x", hba, env: { VDB_TLS: secret } }));
  pod.sql("ALTER ROLE postgres PASSWORD 'correct-horse'");
  return pod;
};
const postmaster = ({ mount: at }: Pod): string => readFileSync(join(at, "data/postmaster.pid"), "utf8").split("\n")[0] ?? "";

const fail = (): never => {
  throw new Error("not made");
};

describe("the server's certificate", { timeout: 240_000 }, () => {
  const made: { pod?: Pod; certificates: Certificate[] } = { certificates: [] };
  const pod = (): Pod => made.pod ?? fail();
  const certificate = (index: number): Certificate => made.certificates[index] ?? fail();

  before(async () => {
    newCluster(mount);
    mkdirSync(secret);
    made.certificates = [await selfSignedCertificate(), await selfSignedCertificate(), await selfSignedCertificate()];
  });
  after(async () => {
    await made.pod?.stop("SIGINT");
    folder[Symbol.dispose]();
  });

  test("without the Secret the server starts, lets no host in, and the operator hears what is missing", async () => {
    made.pod = await start();
    deepEqual(look(pod()), { kind: "missing", words: "tls.crt tls.key", serving: undefined });
    match(client(pod(), certificate(0), "prefer"), /no pg_hba.conf entry/u);
  });

  test("a Secret that comes later is served without a restart, and clients without TLS are refused", async () => {
    const first = postmaster(pod());
    mountSecret(certificate(0));
    const { kind, serving } = { serving: "", ...look(pod()) };
    deepEqual([kind, serving], ["inForce", certificate(0).cert]);
    await untilServed(pod(), certificate(0));
    match(client(pod(), certificate(0), "disable"), /no pg_hba.conf entry.*no encryption/u);
    match(client(pod(), certificate(1)), /certificate verify failed/u);
    equal(postmaster(pod()), first);
  });

  test("the key lies in memory, readable by the server alone, and not in the data", () => {
    const conf = readFileSync(join(pod().run, "tls.conf"), "utf8");
    const [, key = ""] = /ssl_key_file = '(.*)'/u.exec(conf) ?? [];
    deepEqual([key.startsWith(pod().shm), statSync(key).mode & 0o777], [true, 0o600]);
    const line = certificate(0).key.split("\n")[1] ?? "";
    equal(spawnSync("grep", ["-rlF", line, mount, pod().run]).status, 1, "grep finds it nowhere");
  });

  test("a renewed one is served without a restart, and sessions go on", async () => {
    const first = postmaster(pod());
    mountSecret(certificate(1));
    equal(look(pod()).kind, "inForce");
    await untilServed(pod(), certificate(1));
    match(client(pod(), certificate(0)), /certificate verify failed/u);
    equal(postmaster(pod()), first);
    equal(look(pod()).kind, "inForce", "a second look changes nothing");
  });

  const broken: { name: string; give: () => Certificate; words: RegExp }[] = [
    {
      name: "another's key",
      give: () => ({ cert: certificate(2).cert, key: certificate(0).key }),
      words: /key values mismatch/u,
    },
    {
      name: "no certificate",
      give: () => ({ cert: "hello", key: certificate(2).key }),
      words: /could not load server certificate/u,
    },
    { name: "no key", give: () => ({ cert: certificate(2).cert, key: "hello" }), words: /could not load private key/u },
  ];
  for (const { name, give, words } of broken)
    test(`${name} in the Secret is told in PostgreSQL's words, and the former one stays, also in the next container`, async () => {
      mountSecret(give());
      for (const time of ["first", "again"]) {
        const result = look(pod());
        equal(result.kind, "refused", time);
        if (result.kind !== "refused") return;
        match(result.words, words);
        equal(/\/(shm|vdb-tls)/u.test(result.words), false, result.words);
        equal(result.serving, certificate(1).cert);
      }
      equal(served(pod(), certificate(1)), true);
      await pod().stop("SIGKILL");
      made.pod = await answering(await pod().again());
      equal(served(pod(), certificate(1)), true);
    });

  test("a Secret that is gone leaves the former one in force; an empty value counts as none", async () => {
    writeMounted(secret, { "tls.crt": certificate(2).cert, "tls.key": "" });
    deepEqual(look(pod()), { kind: "missing", words: "tls.key", serving: certificate(1).cert });
    rmSync(join(secret, readlinkSync(join(secret, "..data"))), { recursive: true });
    rmSync(join(secret, "..data"));
    deepEqual(look(pod()), { kind: "missing", words: "tls.crt tls.key", serving: certificate(1).cert });
    equal(served(pod(), certificate(1)), true);
  });

  test("a good one after all that is served", async () => {
    mountSecret(certificate(2));
    equal(look(pod()).kind, "inForce");
    await untilServed(pod(), certificate(2));
    await pod().stop();
    made.pod = await answering(await pod().again());
    equal(served(pod(), certificate(2)), true);
  });
});
