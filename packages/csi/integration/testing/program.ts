import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";

/** A program under test: what it said, and its end. */
export interface Program extends AsyncDisposable {
  readonly log: () => string;
  /** Until a line of its log contains this. */
  readonly logged: (words: string) => Promise<void>;
  /** Its exit status; null when a signal ended it. */
  readonly end: (signal: NodeJS.Signals) => Promise<number | null>;
  readonly ended: Promise<number | null>;
}

const patienceSeconds = 60;

export interface ProgramOptions {
  /** A mount namespace of its own, that sees and shows the mounts of shared folders: as a pod's container. */
  readonly ownMounts?: boolean;
}

/** Runs a main.ts of this repository with the Node.js that runs the test. */
export function startProgram(main: string, args: readonly string[], { ownMounts = false }: ProgramOptions = {}): Program {
  const [command = "", ...before] = ownMounts
    ? ["unshare", "--mount", "--propagation", "unchanged", "--", process.execPath]
    : [process.execPath];
  const child = spawn(command, [...before, main, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
  });
  const lines: string[] = [];
  const heard = new EventTarget();
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      heard.dispatchEvent(new Event("line"));
    });
  const ended = once(child, "exit").then(() => child.exitCode);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (!isOver(child)) child.kill(signal);
    return await ended;
  };
  return {
    log: () => lines.join("\n"),
    logged: async (words) => {
      const signal = AbortSignal.timeout(patienceSeconds * 1000);
      while (!lines.some((line) => line.includes(words))) {
        if (isOver(child)) throw new Error(`${main} ended before it said "${words}":\n${lines.join("\n")}`);
        await Promise.race([once(heard, "line", { signal }), ended]);
      }
    },
    end,
    ended,
    [Symbol.asyncDispose]: async () => void (await end("SIGTERM")),
  };
}

const isOver = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;
