import type { Clock, Connection, Random } from "kube-runtime";

/** One of the two streams that a command writes to. */
export interface Output {
  readonly write: (text: string) => void;
  /** A person watches: lines may move. */
  readonly isTerminal: boolean;
  readonly hasColours: boolean;
  readonly columns: number;
}

/** Which API server, as whom, in which namespace: the flags that kubectl has for it. */
export interface ConnectionFlags {
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly as?: string;
}

/** The kubectl beside this program: for terminals in pods and for logs, which its protocol serves best. */
export interface Kubectl {
  /** On the same terminal; gives its exit code. */
  readonly run: (words: readonly string[]) => Promise<number>;
  /** What it prints. Throws what it says when it fails. */
  readonly read: (words: readonly string[]) => Promise<string>;
  /** port-forward, until it is disposed of. */
  readonly forward: (words: readonly string[]) => Promise<AsyncDisposable & { readonly port: number }>;
}

/** Everything outside of the program, handed in. */
export interface World {
  /** Results: what a pipe is for. */
  readonly stdout: Output;
  /** Progress and errors. */
  readonly stderr: Output;
  /** The text of a file; `-` is standard input. */
  readonly readText: (file: string) => Promise<string>;
  /** As the kubeconfig says, before `--as`. */
  readonly connect: (flags: ConnectionFlags) => Promise<Connection>;
  readonly kubectl: Kubectl;
  /** Runs a program of this machine on the same terminal, with more environment; gives its exit code. */
  readonly runLocal: (
    program: string,
    words: readonly string[],
    environment: Readonly<Record<string, string>>,
  ) => Promise<number>;
  /** Whether a person types: standard input and output are terminals. */
  readonly isInteractive: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}
