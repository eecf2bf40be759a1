import { type Connection, systemClock } from "kube-runtime";
import type { Output, World } from "../world.ts";

export interface RecordedOutput extends Output {
  readonly written: () => string;
}

/** A stream that keeps what was written: a pipe, or a terminal with colours. */
export function recorded(kind: "pipe" | "terminal" = "pipe", columns = 100): RecordedOutput {
  const state = { text: "" };
  return {
    isTerminal: kind === "terminal",
    hasColours: kind === "terminal",
    columns,
    write: (text) => {
      state.text += text;
    },
    written: () => state.text,
  };
}

export interface RecordedWorld extends World {
  readonly stdout: RecordedOutput;
  readonly stderr: RecordedOutput;
}

const nobody = async (words: readonly string[]): Promise<never> => {
  throw new Error(`there is no kubectl here to run ${words.join(" ")}`);
};

/** A world whose streams are recorded, and whose random names are all the same. */
export function testWorld(connect: () => Promise<Connection>, parts: Partial<World> = {}): RecordedWorld {
  return {
    connect,
    readText: async (file) => {
      throw new Error(`nobody gave a file ${file}`);
    },
    kubectl: { run: nobody, read: nobody, forward: nobody },
    runLocal: async (program) => nobody([program]),
    isInteractive: false,
    clock: systemClock,
    random: () => 0,
    signal: new AbortController().signal,
    ...parts,
    stdout: recorded(),
    stderr: recorded(),
  };
}
