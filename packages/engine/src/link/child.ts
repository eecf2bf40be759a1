import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { baseEnvironment } from "../command.ts";
import { dataOwner } from "./owner.ts";

export interface Child {
  readonly ended: Promise<{ readonly status: number | NodeJS.Signals; readonly lastLines: string }>;
  kill(signal: NodeJS.Signals): void;
  /** Together with the programs that it started. */
  killAll(): void;
}

interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
}

/** So many of its last lines a program's failure is explained with. */
const keptLines = 5;

/**
 * A program of PostgreSQL, as the owner of the data. It dies with the engine: left alone, it would go on writing into a folder
 * that the restarted engine begins anew.
 */
export function spawnAsOwner(program: string, args: readonly string[], { env = {}, onLine }: ChildOptions): Child {
  const { uid, gid } = dataOwner;
  const as = ["--reuid", String(uid), "--regid", String(gid), "--clear-groups", "--no-new-privs", "--pdeathsig", "KILL"];
  const child = spawn("setpriv", [...as, "--", program, ...args], {
    env: { ...baseEnvironment(), ...env },
    stdio: ["ignore", "ignore", "pipe"],
    detached: true, // a process group of its own, see killAll
  });
  const last: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    last.push(line);
    if (last.length > keptLines) last.shift();
    onLine(line);
  });
  return {
    kill: (signal) => void child.kill(signal),
    killAll: () => killGroup(child.pid),
    ended: new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve({ status: code ?? signal ?? "SIGKILL", lastLines: last.join("; ") }));
    }),
  };
}

function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    const isGone = error instanceof Error && "code" in error && error.code === "ESRCH";
    if (!isGone) throw error;
  }
}
