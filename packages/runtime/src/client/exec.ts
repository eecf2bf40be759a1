import type { Connection } from "../connection/connection.ts";

/** What to run in which container of which pod. No shell is involved unless the command is one. */
export interface ExecRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
  /** Written to standard input, which is then closed. */
  readonly stdin?: string;
  /** Of each of stdout and stderr as much is kept; the rest is read and dropped. 1 MiB unless told. */
  readonly maxOutputBytes?: number;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether output was dropped. */
  readonly truncated: boolean;
}

/** A running command whose standard input stays open, for sessions (`psql` on stdin). */
export interface ExecSession extends AsyncDisposable {
  readonly write: (text: string) => void;
  readonly closeStdin: () => void;
  /** What the command prints on stdout, piece by piece, as it comes. Read it once. */
  readonly stdout: AsyncIterable<string>;
  /** Resolves when the command ended; its stdout and stderr are what came until then. */
  readonly result: Promise<ExecResult>;
}

/**
 * Runs a command in a container and waits for its end. Throws ApiError when it could not be started or the connection was
 * lost: the command may then have run or still be running. A command that fails is an exit code, not a throw.
 */
export async function execInPod(_connection: Connection, _request: ExecRequest, _signal: AbortSignal): Promise<ExecResult> {
  throw new Error("not yet");
}

/** Starts a command and leaves its standard input open. Aborting the signal or disposing drops the connection, not always the command. */
export async function openExec(
  _connection: Connection,
  _request: Omit<ExecRequest, "stdin">,
  _signal: AbortSignal,
): Promise<ExecSession> {
  throw new Error("not yet");
}
