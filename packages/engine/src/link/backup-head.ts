/** What a base backup is begun for, and left again before it sends data: its head, and the checkpoint that the source makes for it. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { baseEnvironment } from "../command.ts";
import { Failure } from "../failure.ts";
import type { Postgres } from "./postgres.ts";
import { commandConnection, explain, type Source } from "./source.ts";

/** What a location cannot contain stands between fields and rows. */
const [field, row] = ["\u001f", "\u001e"];
/** So much before the first byte of data, and no more. */
const patienceBytes = 1 << 20;

/**
 * The OIDs of the source's tablespaces, which are the names of their archives. The replication protocol tells them at the head of a base
 * backup alone: it costs the source a checkpoint, and the next one follows when there is nothing to write.
 */
export const listTablespaces = (
  postgres: Postgres,
  major: number,
  source: Source,
  signal: AbortSignal,
): Promise<readonly string[]> => headOf(postgres, major, source, tablespacesOf, signal);

/**
 * Lets the source make a checkpoint at once, and answers when it is made. A role that may do no more than replicate has no other way to
 * ask for one.
 */
export const makeCheckpoint = (postgres: Postgres, major: number, source: Source, signal: AbortSignal): Promise<true> =>
  headOf(postgres, major, source, (head) => (head.includes("\n") ? true : undefined), signal);

/** Answers what `read` makes of it, as soon as that is something. The backup ends with its connection. */
async function headOf<T>(
  postgres: Postgres,
  major: number,
  { connection, env }: Source,
  read: (head: string) => T | undefined,
  signal: AbortSignal,
): Promise<T> {
  // The slowest rate: the source reads no more than a few blocks before it sees that nobody listens.
  const ask =
    major < 15
      ? "BASE_BACKUP LABEL 'head' FAST NOWAIT MAX_RATE 32"
      : "BASE_BACKUP (LABEL 'head', CHECKPOINT 'fast', WAIT false, MAX_RATE 32)";
  const format = ["-tAc", ask, `--field-separator=${field}`, `--record-separator=${row}`];
  const psql = spawn(join(await postgres.newest(), "psql"), ["--no-psqlrc", "--no-password", ...format, commandConnection], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...baseEnvironment(), ...env },
    signal,
    killSignal: "SIGKILL",
  });
  const ended = new Promise<void>((resolve, reject) => void psql.once("error", reject).once("close", () => resolve()));
  ended.catch(() => undefined);
  let [head, words] = ["", ""];
  psql.stderr.setEncoding("utf8").on("data", (text: string) => void (words = (words + text).slice(-2000)));
  try {
    for await (const bytes of psql.stdout.setEncoding("latin1")) {
      head += String(bytes);
      const found = read(head);
      if (found !== undefined) return found;
      if (head.length > patienceBytes) break;
    }
  } finally {
    psql.kill("SIGKILL");
    await ended.catch(() => undefined);
  }
  signal.throwIfAborted();
  throw new Failure(explain(connection, words || "the source does not tell where it begins and what it copies"));
}

/** The first answer is where the backup begins; then come the tablespaces, and after them the data folder, without an OID. */
export function tablespacesOf(head: string): readonly string[] | undefined {
  const rows = head.slice(head.indexOf("\n") + 1).split(row);
  const dataFolder = rows.findIndex((one) => one.startsWith(field));
  if (dataFolder === -1) return undefined;
  const spaces = rows.slice(0, dataFolder);
  return spaces.map((one) => one.split(field)[0] ?? "").toSorted();
}
