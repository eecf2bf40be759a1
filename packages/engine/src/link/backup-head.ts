/** What a base backup is begun for, and left again before it sends data: its head, and the checkpoint that the source makes for it. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
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
): Promise<readonly string[]> => headOf(postgres, source, [beginBackup(major)], tablespacesOf, signal);

/**
 * Lets the source make a checkpoint at once, and answers when it is made. A role that may do no more than replicate has no other way to
 * ask for one. Of the WAL before it a standby may lack some yet: a slot that ends with the connection keeps what there is of it.
 */
export async function makeCheckpoint(postgres: Postgres, major: number, source: Source, signal: AbortSignal): Promise<void> {
  const slot = `CREATE_REPLICATION_SLOT delphix_engine_${randomBytes(8).toString("hex")} TEMPORARY PHYSICAL RESERVE_WAL`;
  await headOf(postgres, source, [slot, beginBackup(major)], (head) => /\n.*\n/u.exec(head) ?? undefined, signal);
}

/** The source reads at most 1 MB a second, so little before it sees that nobody listens. */
const beginBackup = (major: number): string =>
  major < 15
    ? "BASE_BACKUP LABEL 'head' FAST NOWAIT MAX_RATE 1024"
    : "BASE_BACKUP (LABEL 'head', CHECKPOINT 'fast', WAIT false, MAX_RATE 1024)";

/** Answers what `read` makes of the answers, as soon as that is something. The backup ends with its connection. */
async function headOf<T>(
  postgres: Postgres,
  { connection, env }: Source,
  commands: readonly string[],
  read: (head: string) => T | undefined,
  signal: AbortSignal,
): Promise<T> {
  const given = ["--no-psqlrc", "--no-password", "--set=ON_ERROR_STOP=1", "-tA", ...commands.flatMap((one) => ["-c", one])];
  const format = [`--field-separator=${field}`, `--record-separator=${row}`];
  const psql = spawn(join(await postgres.newest(), "psql"), [...given, ...format, commandConnection], {
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
