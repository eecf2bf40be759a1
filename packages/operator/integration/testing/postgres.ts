/** A real PostgreSQL for the tests: data directories owned by a user without rights, started by our script as the pod does. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "kube-runtime/testing";
import { tlsScript } from "../../src/postgres/generated/tls-script.ts";
import { hbaFile } from "../../src/postgres/hba.ts";

const clone = new URL("../../../../", import.meta.url).pathname;
/** initdb wants a user that the machine knows, so not the image's 999: `nobody`. */
export const owner = { uid: 65534, gid: 65534 };

/** As cluster/postgres knows it; 16 is 16.2. */
const build = process.env["POSTGRES_VERSION"] ?? "16";
export const major: number = Number.parseInt(build, 10);
/** The builds of other versions have no collations of ICU's. */
export const hasIcu: boolean = build === "16";
/** Its programs, copied to where a user without rights can run them: the cache is root's own. */
const tree = mkdtempSync(join(tmpdir(), `postgres${build}-`));
const atExit = [tree];
process.on("exit", () => {
  for (const folder of atExit) rmSync(folder, { recursive: true, force: true });
});
chmodSync(tree, 0o755);
const locate = build === "16" ? ["paths", "postgres16"] : ["postgres", build];
const cached = execFileSync(join(clone, "cluster", locate[0] ?? ""), locate.slice(1), { encoding: "utf8" }).trim();
execFileSync("cp", ["-a", `${cached}/.`, tree]);
chmodSync(tree, 0o755);
export const programs: string = join(tree, "bin");
export const extensions: string = join(tree, build === "16" ? "share/postgresql/extension" : "share/extension");
/** As the server says it: `16.2`. */
export const serverVersion: string =
  execFileSync(join(programs, "postgres"), ["-V"], { encoding: "utf8" }).trim().split(" ").at(-1) ?? "";
const environment = { PATH: `${programs}:/usr/bin:/bin`, LC_ALL: "C" };
const startScript = new URL("../../src/postgres/start.sh", import.meta.url).pathname;

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
  readonly shm: string;
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
  /** What the kubelet does first when the pod is deleted. */
  readonly terminate: () => void;
  /** The pod's next container, after the end of this one: as the kubelet starts it, in the folders that this one has used. */
  readonly again: (options?: Partial<PodOptions>) => Promise<Pod>;
  readonly answers: () => Promise<void>;
}

export interface PodOptions {
  readonly contentId: string;
  readonly settings?: string;
  readonly hba?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  /** The data's folder in the volume, "" where it has to be found; unless set it is `data`, and known. */
  readonly dataFolder?: string;
  /** The folder of a cgroup to run in; that of the tests unless set. */
  readonly cgroup?: string;
}

/** What of a pod outlives its containers. */
interface PodFolders {
  /** The ConfigMap, which the kubelet writes; the container can only read it. */
  readonly config: string;
  /** Volumes of kind emptyDir. */
  readonly run: string;
  readonly shm: string;
  readonly port: number;
}

async function makeFolders(): Promise<PodFolders> {
  const pod = mkdtempSync(join(tmpdir(), "pod-"));
  atExit.push(pod);
  chmodSync(pod, 0o755);
  const folders = { config: join(pod, "config"), run: join(pod, "run"), shm: join(pod, "shm") };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  for (const emptyDir of [folders.run, folders.shm]) chmodSync(emptyDir, 0o777);
  return { ...folders, port: await freePort() };
}

let written = 0;

/** As the kubelet does it: read-only files in a new folder, to which all names lead by one link that is changed at once. */
export function writeMounted(config: string, files: Readonly<Record<string, string>>): void {
  const current = Object.keys(files).every(
    (name) => existsSync(join(config, name)) && readFileSync(join(config, name), "utf8") === files[name],
  );
  if (current) return;
  const version = `..version-${++written}`;
  mkdirSync(join(config, version));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(config, version, name), text);
    chmodSync(join(config, version, name), 0o444);
    if (lstatSync(join(config, name), { throwIfNoEntry: false }) === undefined)
      symlinkSync(join("..data", name), join(config, name));
  }
  symlinkSync(version, join(config, "..data_tmp"));
  renameSync(join(config, "..data_tmp"), join(config, "..data"));
}

/** Runs the start script as the container does, on the data in `<mount>/data`, in a new pod. */
export async function startPod(mount: string, options: PodOptions): Promise<Pod> {
  return startContainer(mount, await makeFolders(), options);
}

function startContainer(mount: string, folders: PodFolders, options: PodOptions): Pod {
  const { contentId, settings = "", hba, env = {}, uid = owner.uid, cgroup, dataFolder } = options;
  const { config, run, shm, port } = folders;
  const log = join(mkdtempSync(join(run, "../termination-")), "log");
  writeFileSync(log, "");
  chmodSync(log, 0o666);
  chmodSync(join(log, ".."), 0o755);
  const files = { "settings.conf": settings, "pg_hba.conf": hba ?? hbaFile(contentId, "open"), "tls.sh": tlsScript };
  writeMounted(config, files);
  const variables = {
    ...environment,
    ...(dataFolder === undefined
      ? { PGDATA: join(mount, "data") }
      : { PGDATA: join(run, "pgdata"), VDB_DATA_FOLDER: dataFolder }),
    PGPORT: String(port),
    VDB_MOUNT: mount,
    VDB_CONTENT_ID: contentId,
    VDB_CONFIG: config,
    VDB_RUN: run,
    VDB_SHM: shm,
    VDB_TERMINATION_LOG: log,
    ...env,
  };
  // Into the cgroup as root, before it is anybody else.
  const enter = `echo $$ >${cgroup}/cgroup.procs && exec setpriv --reuid ${uid} --regid ${owner.gid} --clear-groups /bin/sh ${startScript}`;
  const child = spawn("/bin/sh", cgroup === undefined ? [startScript] : ["-c", enter], {
    ...(cgroup === undefined ? { uid, gid: owner.gid } : {}),
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
    shm,
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
    terminationMessage: () => readFileSync(log, "utf8") || `no message; printed: ${printed}`,
    answers: async () =>
      await answers(
        child,
        () => printed,
        () => sql("SELECT 1"),
      ),
    terminate: () => void child.kill("SIGTERM"),
    stop: async (signal = "SIGINT") => {
      if (child.exitCode !== null) return;
      if (signal === "SIGKILL" && child.pid !== undefined) process.kill(-child.pid, signal);
      else child.kill(signal);
      await exited;
    },
    again: async (changes = {}) => {
      await exited;
      return startContainer(mount, folders, { ...options, ...changes });
    },
  };
}

async function answers(child: ChildProcess, printed: () => string, ask: () => string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (child.exitCode !== null) throw new Error(`the server ended: ${printed()}`);
    try {
      if (ask() === "1") return;
    } catch {
      // not yet
    }
    await sleep(100);
  }
  throw new Error(`no answer within a minute: ${printed()}`);
}
