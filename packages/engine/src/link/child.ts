import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { baseEnvironment } from "../command.ts";
import { dataOwner } from "./owner.ts";

export interface Child {
  readonly ended: Promise<{ readonly status: number | NodeJS.Signals; readonly lastLines: string }>;
  /** SIGKILL ends the programs that it started, too. */
  kill(signal: NodeJS.Signals): void;
  /** It and the programs that it started stand still while `work` is done. */
  paused<T>(work: () => Promise<T>): Promise<T>;
  /** The programs that it started, by the names that they give themselves. */
  titles(): readonly string[];
}

interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
}

/** So many of its last lines a program's failure is explained with. */
const keptLines = 5;

const { uid, gid } = dataOwner;
/** Dies with the engine: left alone, it would go on writing into a folder that the restarted engine begins anew. */
const diesWithUs = ["setpriv", "--pdeathsig", "KILL", "--"];
/**
 * Process numbers of its own: what it started ends together with it and is reaped by the kernel, which nobody else would do where
 * the engine is the first process of its container. Mounts of its own, see below; what is unmounted elsewhere is so here too, else a
 * standby would hold the loop device of a pool for as long as it lives.
 */
const apart = ["unshare", "--pid", "--mount", "--propagation", "slave", "--fork", "--kill-child=KILL", "--"];
/** Replayed WAL makes the source's tablespaces under the paths that they have there: here they must not be writable. */
const readOnlyRoot = ["sh", "-c", 'mount -o remount,bind,ro / && exec "$@"', "sh"];
const asOwner = ["setpriv", "--reuid", `${uid}`, "--regid", `${gid}`, "--clear-groups", "--no-new-privs", ...diesWithUs.slice(1)];

/** A program of PostgreSQL, as the owner of the data, which can write into the pool alone. */
export function spawnAsOwner(program: string, args: readonly string[], { env = {}, onLine }: ChildOptions): Child {
  const [first = "", ...rest] = [...diesWithUs, ...apart, ...readOnlyRoot, ...asOwner, program, ...args];
  const child = spawn(first, rest, {
    env: { ...baseEnvironment(), ...env },
    stdio: ["ignore", "ignore", "pipe"],
    detached: true, // what a terminal sends to the engine's group is not for it
  });
  const last: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    last.push(line);
    if (last.length > keptLines) last.shift();
    onLine(line);
  });
  return {
    // Never unshare itself, if it has begun: it reaps the program, and ends after it.
    kill: (signal) => signalTo(onlyChildOf(child.pid) ?? child.pid, signal),
    paused: async (work) => {
      // Parents first: what stands still starts no other.
      const stopped = child.pid === undefined ? [] : [...stopAll(child.pid)];
      try {
        return await work();
      } finally {
        for (const pid of stopped.toReversed()) signalTo(pid, "SIGCONT");
      }
    },
    titles: () => (child.pid === undefined ? [] : [...allBelow(child.pid)].map(titleOf)),
    ended: new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve({ status: code ?? signal ?? "SIGKILL", lastLines: last.join("; ") }));
    }),
  };
}

function onlyChildOf(pid: number | undefined): number | undefined {
  return pid === undefined ? undefined : childrenOf(pid)[0];
}

/** A process that is gone has none. */
function childrenOf(pid: number): readonly number[] {
  return readOf(`/proc/${pid}/task/${pid}/children`).trim().split(" ").filter(Boolean).map(Number);
}

function* allBelow(pid: number): Generator<number> {
  for (const child of childrenOf(pid)) {
    yield child;
    yield* allBelow(child);
  }
}

/** A server's processes leave the group of the one that started them, so each is stopped by itself. */
function* stopAll(pid: number): Generator<number> {
  signalTo(pid, "SIGSTOP");
  yield pid;
  for (const child of childrenOf(pid)) yield* stopAll(child);
}

const titleOf = (pid: number): string => readOf(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();

/** Empty: the process has ended. */
function readOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ESRCH") return "";
    throw error;
  }
}

function signalTo(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined);
