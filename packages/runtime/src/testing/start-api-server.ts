import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Connection } from "../connection/connection.ts";
import { tokenConnection } from "../connection/token-connection.ts";
import { type Child, startChild } from "./child.ts";
import { freePort } from "./free-port.ts";
import { findKubeBinary } from "./kube-binaries.ts";

export interface ApiServerOptions {
  /** Further flags of kube-apiserver. */
  readonly flags?: readonly string[];
  /** Users beside the administrator, for tests of what RBAC allows. */
  readonly users?: readonly { readonly name: string; readonly groups?: readonly string[] }[];
}

/**
 * A real etcd and kube-apiserver on the loopback with an empty store: no controllers, no nodes, no pods that run.
 * RBAC is on; `connection` is an administrator's.
 */
export interface TestApiServer extends AsyncDisposable {
  readonly url: URL;
  readonly connection: Connection;
  /** As one of `options.users`. */
  readonly connectionAs: (user: string) => Connection;
  /** The same server at another address, such as a proxy's. */
  readonly connectionVia: (url: URL) => Connection;
  /** A file for kubectl. */
  readonly kubeconfig: string;
  readonly pids: () => readonly number[];
  /** Ends kube-apiserver; etcd keeps the data. */
  readonly stopServing: (signal?: NodeJS.Signals) => Promise<void>;
  /** Starts it again at the same address and waits until it is ready. */
  readonly serveAgain: () => Promise<void>;
}

/** Starts one. Use with `await using`, or dispose of it in an `after` hook. Takes about four seconds. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<TestApiServer> {
  const folder = await mkdtemp(join(tmpdir(), "kube-apiserver-"));
  const children: { etcd?: Child; server?: Child } = {};
  const dispose = async (): Promise<void> => {
    await children.server?.stop("SIGKILL"); // a graceful end would wait for watches
    await children.etcd?.stop("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
    const users = [{ name: "admin", groups: ["system:masters"] }, ...(options.users ?? [])];
    const tokens = new Map(users.map(({ name }) => [name, randomBytes(16).toString("hex")]));
    await writeKeys(folder, users, tokens);
    children.etcd = startChild(findKubeBinary("etcd"), etcdFlags(folder, etcdPort, peerPort), join(folder, "etcd.log"));
    const serve = async (): Promise<void> => {
      const flags = [...serverFlags(folder, etcdPort, port), ...(options.flags ?? [])];
      children.server = startChild(findKubeBinary("kube-apiserver"), flags, join(folder, "apiserver.log"));
      await waitUntilReady(port, tokens.get("admin") ?? "", children.server);
    };
    await serve();
    const url = new URL(`https://127.0.0.1:${port}`);
    const ca = await readFile(join(folder, "certs/apiserver.crt"), "utf8");
    const connect = (user: string, at: URL): Connection => {
      const token = tokens.get(user);
      if (token === undefined) throw new Error(`startApiServer was not told of a user ${user}`);
      return tokenConnection({ server: at, token, ca });
    };
    const kubeconfig = join(folder, "kubeconfig");
    await writeFile(kubeconfig, kubeconfigText(url, ca, tokens.get("admin") ?? ""), { mode: 0o600 });
    return {
      url,
      kubeconfig,
      connection: connect("admin", url),
      connectionAs: (user) => connect(user, url),
      connectionVia: (at) => connect("admin", at),
      pids: () => [children.etcd?.pid, children.server?.pid].filter((pid) => pid !== undefined),
      stopServing: async (signal) => children.server?.stop(signal ?? "SIGKILL"),
      serveAgain: serve,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function writeKeys(
  folder: string,
  users: readonly { readonly name: string; readonly groups?: readonly string[] }[],
  tokens: ReadonlyMap<string, string>,
): Promise<void> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeFile(join(folder, "sa.key"), privateKey.export({ type: "sec1", format: "pem" }), { mode: 0o600 });
  await writeFile(join(folder, "sa.pub"), createPublicKey(privateKey).export({ type: "spki", format: "pem" }));
  const lines = users.map(({ name, groups = [] }) => `${tokens.get(name)},${name},${name},"${groups.join(",")}"\n`);
  await writeFile(join(folder, "tokens.csv"), lines.join(""), { mode: 0o600 });
}

const etcdFlags = (folder: string, port: number, peerPort: number): readonly string[] => [
  `--data-dir=${folder}/etcd`,
  "--unsafe-no-fsync",
  `--listen-client-urls=http://127.0.0.1:${port}`,
  `--advertise-client-urls=http://127.0.0.1:${port}`,
  `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
  `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
  `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
  "--log-level=warn",
];

const serverFlags = (folder: string, etcdPort: number, port: number): readonly string[] => [
  `--etcd-servers=http://127.0.0.1:${etcdPort}`,
  `--cert-dir=${folder}/certs`,
  "--bind-address=127.0.0.1",
  "--advertise-address=127.0.0.1",
  "--endpoint-reconciler-type=none",
  `--secure-port=${port}`,
  `--service-account-key-file=${folder}/sa.pub`,
  `--service-account-signing-key-file=${folder}/sa.key`,
  "--service-account-issuer=https://kubernetes.default.svc",
  "--service-cluster-ip-range=10.96.0.0/16",
  `--token-auth-file=${folder}/tokens.csv`,
  "--authorization-mode=RBAC",
  "--allow-privileged=true",
  "--disable-admission-plugins=ServiceAccount", // nobody makes the default accounts here
];

async function waitUntilReady(port: number, token: string, server: Child): Promise<void> {
  const until = performance.now() + 120_000;
  while (!(await answersReady(port, token))) {
    if (!server.running()) throw new Error(`kube-apiserver ended before it was ready:\n${server.tail()}`);
    if (performance.now() > until) throw new Error(`kube-apiserver is not ready after two minutes:\n${server.tail()}`);
    await delay(50);
  }
}

function answersReady(port: number, token: string): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { rejectUnauthorized: false, headers: { authorization: `Bearer ${token}` }, timeout: 2000, agent: false };
    const request = get(`https://127.0.0.1:${port}/readyz`, options, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}

function kubeconfigText(server: URL, ca: string, token: string): string {
  const cluster = { server: server.origin, "certificate-authority-data": Buffer.from(ca).toString("base64") };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster }],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "admin" } }],
    "current-context": "test",
  });
}
