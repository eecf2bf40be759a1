/** A real PostgreSQL for the tests: data directories owned by a user without rights, started by our script as the pod does. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hbaFile } from "../src/postgres/hba.ts";

const clone = new URL("../../../", import.meta.url).pathname;
/** initdb wants a user that the machine knows, so not the image's 999: `nobody`. */
export const owner = { uid: 65534, gid: 65534 };

/** PostgreSQL 16.2's programs, copied to where a user without rights can run them: the cache is root's own. */
const tree = mkdtempSync(join(tmpdir(), "postgres16-"));
process.on("exit", () => rmSync(tree, { recursive: true, force: true }));
chmodSync(tree, 0o755);
const cached = execFileSync(join(clone, "cluster/paths"), ["postgres16"], { encoding: "utf8" }).trim();
execFileSync("cp", ["-a", `${cached}/.`, tree]);
chmodSync(tree, 0o755);
export const programs: string = join(tree, "bin");
const environment = { PATH: `${programs}:/usr/bin:/bin`, LC_ALL: "C" };
const startScript = new URL("../src/postgres/start.sh", import.meta.url).pathname;

/** A folder of its own for one test file, removed with everything in it. */
export function scratch(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "operator-test-"));
  chmodSync(path, 0o755);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** `PROGRAM ARGUMENTS` as the data's owner; what it prints. */
export function asOwner(program: string, parameters: readonly string[], input = ""): string {
  return execFileSync(join(programs, program), parameters, {
    ...owner,
    env: environment,
    encoding: "utf8",
    input,
    cwd: "/",
    stdio: "pipe",
  });
}

/** A data directory as initdb makes it, in `<mount>/data`. */
export function newCluster(mount: string, superuser = "postgres", more: readonly string[] = []): void {
  mkdirSync(mount, { recursive: true });
  chownSync(mount, owner.uid, owner.gid);
  asOwner("initdb", ["-D", join(mount, "data"), "-U", superuser, "-A", "trust", "-N", "--locale=C", "-E", "UTF8", ...more]);
}

export function copyCluster(from: string, to: string): void {
  cpSync(from, to, { recursive: true, preserveTimestamps: true });
  execFileSync("chown", ["-R", `${owner.uid}:${owner.gid}`, to]);
}

export interface Pod {
  readonly mount: string;
  readonly run: string;
  readonly port: number;
  /** What the script left for people when it ended by itself. */
  readonly terminationMessage: () => string;
  /** What the script and the server have printed so far. */
  readonly printed: () => string;
  readonly sql: (statement: string, user?: string, database?: string) => string;
  /** A command in the pod's environment, as `pods/exec` runs it. */
  readonly exec: (command: readonly string[], stdin?: string) => { exitCode: number; stdout: string; stderr: string };
  readonly exited: Promise<number | null>;
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>;
  /** What the kubelet does first when the pod is deleted; the container's files stay until `stop`. */
  readonly terminate: () => void;
  readonly answers: () => Promise<void>;
}

export interface PodOptions {
  readonly contentId: string;
  readonly settings?: string;
  readonly hba?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
}

/** Runs the start script as the container does, on the data in `<mount>/data`. */
export async function startPod(
  mount: string,
  { contentId, settings = "", hba, env = {}, uid = owner.uid }: PodOptions,
): Promise<Pod> {
  const folder = mkdtempSync(join(tmpdir(), "pod-"));
  const [config, run, log] = [join(folder, "config"), join(folder, "run"), join(folder, "termination-log")];
  for (const made of [config, run]) mkdirSync(made);
  for (const made of [folder, config, run]) chmodSync(made, 0o777);
  writeFileSync(join(config, "settings.conf"), settings);
  writeFileSync(join(config, "pg_hba.conf"), hba ?? hbaFile(contentId, "open"));
  const port = await freePort();
  const variables = {
    ...environment,
    PGDATA: join(mount, "data"),
    PGPORT: String(port),
    VDB_MOUNT: mount,
    VDB_CONTENT_ID: contentId,
    VDB_CONFIG: config,
    VDB_RUN: run,
    VDB_TERMINATION_LOG: log,
    ...env,
  };
  const child = spawn("/bin/sh", [startScript], {
    uid,
    gid: owner.gid,
    cwd: "/",
    stdio: ["ignore", "inherit", "pipe"],
    env: variables,
    detached: true, // a group of its own: killing a container kills all of it
  });
  let printed = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (printed += text));
  const exited = once(child, "exit").then(() => child.exitCode);
  const sql = (statement: string, user = "postgres", database = "postgres"): string =>
    asOwner(
      "psql",
      ["-h", run, "-p", String(port), "-U", user, "-d", database, "-qXAt", "-v", "ON_ERROR_STOP=1", "-f", "-"],
      statement,
    ).trim();
  return {
    mount,
    run,
    port,
    sql,
    exited,
    printed: () => printed,
    exec: ([program = "", ...parameters], stdin = "") => {
      const { status, stdout, stderr } = spawnSync(program, parameters, {
        ...owner,
        cwd: "/",
        env: variables,
        input: stdin,
        encoding: "utf8",
      });
      return { exitCode: status ?? -1, stdout, stderr };
    },
    terminationMessage: () => (existsSync(log) ? readFileSync(log, "utf8") : `no message; printed: ${printed}`),
    answers: async () =>
      await answers(
        child,
        () => printed,
        () => sql("SELECT 1"),
      ),
    terminate: () => void child.kill("SIGTERM"),
    stop: async (signal = "SIGINT") => {
      if (signal === "SIGKILL" && child.pid !== undefined) process.kill(-child.pid, signal);
      else child.kill(signal);
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(child: ChildProcess, printed: () => string, ask: () => string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (child.exitCode !== null) throw new Error(`the server ended: ${printed()}`);
    try {
      if (ask() === "1") return;
    } catch {
      // not yet
    }
    await sleep(100);
  }
  throw new Error(`no answer within 10 s: ${printed()}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
