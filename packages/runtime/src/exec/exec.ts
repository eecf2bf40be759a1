import type { Connection } from "../connection/connection.ts";
import { openStreams } from "./open-streams.ts";
import { startSession } from "./session.ts";

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
  /** Called right before the request leaves; a throw keeps it from leaving: `() => manager.assertLeading("…")`. */
  readonly beforeSend?: () => void;
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
  /** What the command prints on stdout, piece by piece, as it comes. Read it once; it ends or throws as `result` does. The command waits while 1 MiB is unread. */
  readonly stdout: AsyncIterable<string>;
  /** Resolves when the command ended; its stdout and stderr are what came until then. */
  readonly result: Promise<ExecResult>;
}

/**
 * Runs a command in a container and waits for its end. Throws ApiError when it could not be started or the connection was
 * lost: the command may then have run or still be running. A command that fails is an exit code, not a throw.
 */
export async function execInPod(connection: Connection, request: ExecRequest, signal: AbortSignal): Promise<ExecResult> {
  const { stdin } = request;
  const streams = await openStreams(connection, request, stdin !== undefined, signal);
  await using session = startSession(streams, request, { forward: false }, signal);
  if (stdin !== undefined) {
    session.write(stdin);
    session.closeStdin();
  }
  return await session.result;
}

/** Starts a command and leaves its standard input open. Aborting the signal or disposing drops the connection, not always the command. */
export async function openExec(
  connection: Connection,
  request: Omit<ExecRequest, "stdin">,
  signal: AbortSignal,
): Promise<ExecSession> {
  return startSession(await openStreams(connection, request, true, signal), request, { forward: true }, signal);
}
