import { deepEqual } from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import {
  createDctClient,
  type DctClient,
  eq,
  type JobEnd,
  map,
  object,
  type Snapshot,
  string,
  type Vdb,
  waitForJob,
} from "@vdb/dct";
import { problemsOf } from "@vdb/dct/testing";
import { stringify } from "yaml";
import { askEngine } from "../../src/admin/socket.ts";
import { password } from "./postgres.ts";
import type { Scratch } from "./scratch.ts";

const main = new URL("../../src/main.ts", import.meta.url).pathname;

/** The engine as a process of its own, on the folder `<scratch>/engine`. */
export interface EngineProcess extends AsyncDisposable {
  readonly client: DctClient;
  readonly url: string;
  readonly pid: number;
  /** Everything it has logged. */
  readonly log: () => string;
  /** Until a log line says this. */
  logged(words: string): Promise<void>;
  /** SIGKILL, as the kernel does it when memory runs out. */
  kill(): Promise<void>;
  /** SIGTERM; its exit status. */
  stop(): Promise<number | null>;
}

interface EngineConfig {
  readonly pool?: object;
  readonly [field: string]: unknown;
}

export interface EngineOptions {
  readonly config?: EngineConfig;
  readonly holdAt?: string;
  /** As the first process of a container: its own process numbers and mounts, and nobody reaps what it leaves. */
  readonly contained?: boolean;
}

export const dataDir = (scratch: Scratch): string => join(scratch.path, "engine");
export const poolDir = (scratch: Scratch): string => join(dataDir(scratch), "pool");
export const configFile = (scratch: Scratch): string => join(scratch.path, "config.yaml");

/** The chart gives the heap two fifths of the container's 1 GiB. */
const heapAsInThePod = "--max-old-space-size=410";

/** Small, so that it can be filled; the reserve is smaller than the default. */
export const smallPool = { size: "1Gi", reserve: "32Mi" } as const;

/** The group `xfs` of the tests says so: every pool is of this file system. */
const fileSystem = process.env["POOL"] ?? "auto";

/** Waits until what was removed from the pool is free. */
export function settlePool(scratch: Scratch): void {
  const pool = poolDir(scratch);
  execFileSync("sync", ["--file-system", pool]);
  if (execFileSync("stat", ["--file-system", "--format=%T", pool], { encoding: "utf8" }).trim() !== "btrfs") return;
  for (const kind of ["subvolume", "filesystem"]) execFileSync("btrfs", [kind, "sync", pool]);
}

/** Of the pool, when what was removed is free. */
export function usedPoolBytes(scratch: Scratch): number {
  settlePool(scratch);
  const { blocks, bfree, bsize } = statfsSync(poolDir(scratch));
  return (blocks - bfree) * bsize;
}

/** What a dSource of the configuration needs to reach the source on this port. */
export const declared = (name: string, port: number, more: object = {}): object => ({
  name,
  host: "127.0.0.1",
  port,
  user: "postgres",
  passwordSecret: { name: "link", key: "password" },
  ...more,
});

export function writeConfig(scratch: Scratch, { pool = smallPool, ...config }: EngineConfig): void {
  writeFileSync(configFile(scratch), stringify({ pool: { fileSystem, ...pool }, ...config }));
}

export async function startEngineProcess(
  scratch: Scratch,
  { config, holdAt, contained = false }: EngineOptions = {},
): Promise<EngineProcess> {
  mkdirSync(join(scratch.path, "secrets/link"), { recursive: true });
  writeFileSync(join(scratch.path, "secrets/link/password"), password);
  if (config !== undefined || !existsSync(configFile(scratch))) writeConfig(scratch, config ?? {});
  const container = contained ? ["unshare", "--pid", "--mount-proc", "--fork", "--kill-child=KILL", "--"] : [];
  const held = holdAt === undefined ? [] : [`--hold-at=${holdAt}`];
  const [first = "", ...rest] = [...container, process.execPath, main, ...flags(scratch), ...held];
  const child = spawn(first, rest, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", NODE_OPTIONS: heapAsInThePod },
  });
  const said = listen(child);
  const exited = once(child, "exit");
  await said.logged("the engine has started");
  const port = Number(/"port":(\d+)/u.exec(said.log())?.[1]);
  const url = `https://localhost:${port}`;
  const client = createDctClient({
    url,
    apiKey: await newKey(scratch),
    caPem: readFileSync(join(dataDir(scratch), "tls.crt"), "utf8"),
  });
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    await client[Symbol.asyncDispose]();
    // unshare hands no signal on; its end is the engine's.
    if (child.exitCode === null && child.signalCode === null) child.kill(contained ? "SIGKILL" : signal);
    await exited;
    return child.exitCode;
  };
  return {
    client,
    url,
    pid: child.pid ?? 0,
    ...said,
    kill: async () => void (await end("SIGKILL")),
    stop: () => end("SIGTERM"),
    [Symbol.asyncDispose]: async () => void (await end("SIGTERM")),
  };
}

/** Each start gets a key: the catalogue may be another one. Who calls by hand finds it beside the engine's folder. */
async function newKey(scratch: Scratch): Promise<string> {
  await askEngine(dataDir(scratch), "revoke-key", "tests").catch(() => undefined);
  const { key } = object({ key: string }, {})(
    JSON.parse((await askEngine(dataDir(scratch), "add-key", "tests")).toString()),
    "answer",
  );
  writeFileSync(join(scratch.path, "api-key"), key);
  return key;
}

export const apiKeyOf = (scratch: Scratch): string => readFileSync(join(scratch.path, "api-key"), "utf8");

const flags = (scratch: Scratch): readonly string[] => [
  `--config=${configFile(scratch)}`,
  `--secrets-dir=${join(scratch.path, "secrets")}`,
  `--data-dir=${dataDir(scratch)}`,
  "--listen=127.0.0.1:0",
  "--node-name=test-node",
  `--postgres-dir=${scratch.postgresDir}`,
  "--log-level=debug",
  "--shortest-interval=1s",
];

/** A wait that the product decides the length of: generous, a failing test is the exception. */
const patienceMs = 60_000;

function listen(child: ChildProcess): Pick<EngineProcess, "log" | "logged"> {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const look of waiting) look();
  };
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(line);
      wake();
    });
  }
  child.once("exit", wake);
  const logged = (words: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const done = (settle: () => void): void => {
        waiting.delete(look);
        clearTimeout(timer);
        settle();
      };
      const fail = (why: string): void =>
        done(() => reject(new Error(`the engine ${why} before it said "${words}":\n${lines.slice(-30).join("\n")}`)));
      const look = (): void => {
        if (lines.some((line) => line.includes(words))) done(resolve);
        else if (child.exitCode !== null || child.signalCode !== null) fail("ended");
      };
      const timer = setTimeout(() => fail("waited"), patienceMs);
      waiting.add(look);
      look();
    });
  return { log: () => lines.join("\n"), logged };
}

const signal = new AbortController().signal;
export interface Answered {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A call by hand, for what the client does not send. Its answer is one that clients of the public document can read. */
export async function callByHand(
  { url }: EngineProcess,
  scratch: Scratch,
  method: "GET" | "POST" | "PATCH" | "DELETE",
  path: string,
  body?: object,
): Promise<Answered> {
  const ca = readFileSync(join(dataDir(scratch), "tls.crt"));
  const key = apiKeyOf(scratch);
  const headers = { authorization: `apk ${key}`, "content-type": "application/json" };
  const asked = request(`${url}/v3${path}`, { method, headers, ca });
  asked.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = await once(asked, "response");
  const said = await text(answer);
  const given: unknown = said === "" ? undefined : JSON.parse(said);
  const [asItIs = ""] = path.split("?");
  deepEqual(
    problemsOf({ method, path: asItIs, status: answer.statusCode, body: given }),
    [],
    `${method} ${path} answers ${answer.statusCode} ${said}`,
  );
  return { status: answer.statusCode, body: map(given ?? {}, "answer") };
}

export const jobEnd = (client: DctClient, jobId: string, deadlineSeconds = 60): Promise<JobEnd> =>
  waitForJob(client, jobId, { signal, deadlineSeconds });

export async function succeeded(client: DctClient, jobId: string): Promise<void> {
  const end = await jobEnd(client, jobId);
  if (end.kind !== "succeeded") throw new Error(`job ${jobId}: ${end.message}`);
}

/** The newest snapshot of a dSource, as soon as there is one. */
export async function firstSnapshot(engine: EngineProcess, name: string): Promise<Snapshot> {
  for (let left = 300; left > 0; left -= 1) {
    const [source] = await engine.client.searchDSources(eq("name", name));
    const [snapshot] =
      source === undefined
        ? []
        : await engine.client.searchSnapshots(eq("dataset_id", source.id), { sort: "-timestamp", limit: 1 });
    if (snapshot !== undefined) return snapshot;
    await new Promise((resolve) => void setTimeout(resolve, 200));
  }
  throw new Error(`dSource ${name} has no snapshot:\n${engine.log()}`);
}

/** Provisions and waits; the VDB as the engine then shows it. */
export async function provisioned(
  client: DctClient,
  snapshotId: string,
  name: string,
  more: object = {},
): Promise<Vdb & { readonly exported_data_directory: string }> {
  const { vdbId, jobId } = await client.provisionBySnapshot({ snapshot_id: snapshotId, name, ...more });
  await succeeded(client, jobId);
  const vdb = await client.getVdb(vdbId);
  if (vdb?.exported_data_directory === undefined) throw new Error(`VDB ${vdbId} is not complete`);
  return { ...vdb, exported_data_directory: vdb.exported_data_directory };
}

/** What lies in the pool, by folder; of a VDB, its path. */
export const inPool = (
  scratch: Scratch,
): Readonly<Record<"vdbs" | "timeflows" | "snapshots" | "standbys" | "work", readonly string[]>> => {
  const list = (folder: string): readonly string[] => readdirSync(join(poolDir(scratch), folder)).toSorted();
  return {
    vdbs: list("vdbs"),
    timeflows: list("timeflows"),
    snapshots: list("snapshots"),
    standbys: list("standbys"),
    work: list("work"),
  };
};

/** The timeflows of VDBs: those that have bytes. */
export async function timeflowsOfVdbs(client: DctClient): Promise<readonly string[]> {
  const vdbs = new Set((await client.searchVdbs()).map(({ id }) => id));
  const timeflows = await client.searchTimeflows();
  return timeflows.flatMap(({ id, dataset_id = "" }) => (vdbs.has(dataset_id) ? [id] : [])).toSorted();
}
