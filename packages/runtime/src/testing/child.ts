import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";

/** A server that belongs to a test: it ends with the test's process, however that ends. */
export interface Child {
  readonly pid: number;
  readonly running: () => boolean;
  /** SIGTERM, then SIGKILL after five seconds. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>;
  /** The last lines it printed. */
  readonly tail: () => string;
}

export function startChild(command: string, args: readonly string[], logFile: string): Child {
  const log = openSync(logFile, "a");
  const tied = existsSync("/usr/bin/setpriv") ? ["/usr/bin/setpriv", "--pdeathsig", "SIGKILL", command] : [command];
  const [program = command, ...rest] = tied;
  const child = spawn(program, [...rest, ...args], { stdio: ["ignore", log, log] });
  closeSync(log);
  return {
    pid: child.pid ?? 0,
    running: () => isRunning(child),
    stop: (signal) => stopChild(child, signal ?? "SIGTERM"),
    tail: () => readFileSync(logFile, "utf8").split("\n").slice(-15).join("\n"),
  };
}

const isRunning = (child: ChildProcess): boolean =>
  child.exitCode === null && child.signalCode === null && child.pid !== undefined;

async function stopChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (!isRunning(child)) return;
  const ended = once(child, "exit");
  child.kill(signal);
  const force = setTimeout(() => child.kill("SIGKILL"), 5000);
  await ended;
  clearTimeout(force);
}
