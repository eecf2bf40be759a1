/**
 * What the operator's pod costs before there is a database: the program of its image, on a real API server, with a pod's own credentials.
 *
 *   sudo node bench/operator.ts [runs=10] [seconds=20]
 *
 * Prints p50 and p95 from the process's start to /readyz, and its resident memory `seconds` later: that of its own (heap and stacks),
 * and pages of the Node.js program, which all processes of one node share. Beside it, in the same run: Node.js that does nothing.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { startBench } from "@vdb/operator/testing";
import { freePort } from "kube-runtime/testing";
import { parse } from "yaml";
import { bundle } from "../cluster/images/bundle.ts";
import { median, percentile } from "./median.ts";

const [runs, seconds] = [Number(process.argv[2] ?? 10), Number(process.argv[3] ?? 20)];
if (!(Number.isInteger(runs) && runs > 0 && seconds > 0)) throw new Error("usage: node bench/operator.ts [runs=10] [seconds=20]");

await using stack = new AsyncDisposableStack();
const { server } = stack.use(await startBench());
const folder = await mkdtemp(join(tmpdir(), "bench-operator-"));
stack.defer(async () => await rm(folder, { recursive: true }));
const { files } = await bundle(join(import.meta.dirname, ".."), "operator");
for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
await writeFile(join(folder, "nothing.mjs"), "setInterval(() => {}, 60_000);");

// Where a pod has its credentials; in a mount namespace of the process alone.
const account = join(folder, "account");
await mkdir(account);
const admin: { clusters: [{ cluster: { "certificate-authority-data": string } }]; users: [{ user: { token: string } }] } = parse(
  await readFile(server.kubeconfig, "utf8"),
);
await writeFile(join(account, "ca.crt"), Buffer.from(admin.clusters[0].cluster["certificate-authority-data"], "base64"));
await writeFile(join(account, "token"), admin.users[0].user.token);
await writeFile(join(account, "namespace"), "pg-operator");
const asPod = `mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io && ln -s "$0" /run/secrets/kubernetes.io/serviceaccount && exec "$@"`;
const { hostname, port } = server.url;
const env = { PATH: "/usr/bin:/bin", KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
const pod = { POD_NAMESPACE: "pg-operator", POD_NAME: "operator-0", NODE_ENV: "production" };

const start = (...args: readonly string[]): ChildProcess =>
  spawn("unshare", ["--mount", "sh", "-c", asPod, account, process.execPath, ...args], {
    env: { ...env, ...pod },
    stdio: "ignore",
  });

async function end(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
}

/** In MiB: of its own, and of files. */
async function memoryOf({ pid }: ChildProcess): Promise<readonly [own: number, shared: number]> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const mebibytes = (what: string): number => Number(new RegExp(`^${what}:\\s+(\\d+) kB$`, "mu").exec(status)?.[1]) / 1024;
  return [mebibytes("RssAnon"), mebibytes("RssFile")];
}

async function isReadyAt(url: string): Promise<boolean> {
  return await fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

const seen = { ms: new Array<number>(), own: new Array<number>(), shared: new Array<number>() };
const nothing = { own: new Array<number>(), shared: new Array<number>() };
for (let run = 0; run < runs; run += 1) {
  const httpPort = await freePort();
  const from = performance.now();
  const operator = start(join(folder, "main.mjs"), "--image=16=postgres:16", `--http-port=${httpPort}`);
  while (!(await isReadyAt(`http://127.0.0.1:${httpPort}/readyz`))) {
    if (operator.exitCode !== null) throw new Error(`the operator ended with code ${operator.exitCode}`);
    await setTimeout(5);
  }
  seen.ms.push(performance.now() - from);
  const idle = start(join(folder, "nothing.mjs"));
  await setTimeout(seconds * 1000);
  for (const [child, all] of [
    [operator, seen],
    [idle, nothing],
  ] as const) {
    const [own, shared] = await memoryOf(child);
    all.own.push(own);
    all.shared.push(shared);
    await end(child);
  }
}

const told = ({ own, shared }: typeof nothing): string =>
  `${Math.round(median(own) + median(shared))} MiB, ${Math.round(median(own))} of its own and ${Math.round(median(shared))} of Node.js's file`;
console.log(`start to ready: p50 ${Math.round(median(seen.ms))} ms, p95 ${Math.round(percentile(seen.ms, 0.95))} ms of ${runs}`);
console.log(`at rest after ${seconds} s: ${told(seen)}; Node.js that does nothing: ${told(nothing)}`);
