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
/**
 * Process numbers of its own: what it started ends together with it and is reaped by the kernel, which nobody else would do where
 * the engine is the first process of its container. Mounts of its own, see below; what is unmounted elsewhere is so here too, else a
 * standby would hold the loop device of a pool for as long as it lives.
 */
const apart = ["unshare", "--pid", "--mount", "--propagation", "slave", "--fork", "--"];
/**
 * The first process there starts two others. One is the program. The other ends it together with the engine, whose end of standard input
 * closes then: left alone, the program would go on writing into a folder that the restarted engine begins anew. It kills until it has
 * found the program, which may have yet to begin. A signal at the parent's death is lost when the engine is killed before it is asked for.
 *
 * Replayed WAL makes the source's tablespaces under the paths that they have there: here they must not be writable.
 */
const endsWithUs = [
  "sh",
  "-c",
  `mount -o remount,bind,ro / || exit
exec 3<&0 </dev/null
{ read -r _ <&3; while :; do kill -KILL -1; done 2>/dev/null; } &
exec 3<&-
"$@"
exit $?`,
  "sh",
];
const asOwner = ["setpriv", "--reuid", `${uid}`, "--regid", `${gid}`, "--clear-groups", "--no-new-privs", "--"];

/** A program of PostgreSQL, as the owner of the data, which can write into the pool alone. */
export function spawnAsOwner(program: string, args: readonly string[], { env = {}, onLine }: ChildOptions): Child {
  const [first = "", ...rest] = [...apart, ...endsWithUs, ...asOwner, program, ...args];
  const child = spawn(first, rest, {
    env: { ...baseEnvironment(), ...env },
    stdio: ["pipe", "ignore", "pipe"],
    detached: true, // what a terminal sends to the engine's group is not for it
  });
  const last: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    last.push(line);
    if (last.length > keptLines) last.shift();
    onLine(line);
  });
  return {
    kill: (signal) => signalTo(programBelow(child.pid), signal),
    paused: async (work) => {
      // Parents first: what stands still starts no other. Not what ends it together with the engine: that would stand still for good.
      const below = programBelow(child.pid);
      const stopped = below === undefined ? [] : [...stopAll(below)];
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

/** Those above it reap it and end after it; before it has begun there is nobody else. */
function programBelow(unshare: number | undefined): number | undefined {
  if (unshare === undefined) return undefined;
  const [shell] = childrenOf(unshare);
  return shell === undefined ? unshare : (childrenOf(shell)[1] ?? shell);
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
