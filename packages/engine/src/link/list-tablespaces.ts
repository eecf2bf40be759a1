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
 * backup alone, so one is begun and left: it costs the source a checkpoint, and the next one follows when there is nothing to write.
 */
export async function listTablespaces(
  postgres: Postgres,
  major: number,
  { connection, env }: Source,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const ask =
    major < 15
      ? "BASE_BACKUP LABEL 'tablespaces' FAST NOWAIT"
      : "BASE_BACKUP (LABEL 'tablespaces', CHECKPOINT 'fast', WAIT false)";
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
      const oids = tablespacesOf(head);
      if (oids !== undefined) return oids;
      if (head.length > patienceBytes) break;
    }
  } finally {
    psql.kill("SIGKILL");
    await ended.catch(() => undefined);
  }
  signal.throwIfAborted();
  throw new Failure(explain(connection, words || "the source does not tell its tablespaces"));
}

/** The first answer is where the backup begins; then come the tablespaces, and after them the data folder, without an OID. */
export function tablespacesOf(head: string): readonly string[] | undefined {
  const rows = head.slice(head.indexOf("\n") + 1).split(row);
  const dataFolder = rows.findIndex((one) => one.startsWith(field));
  if (dataFolder === -1) return undefined;
  const spaces = rows.slice(0, dataFolder);
  return spaces.map((one) => one.split(field)[0] ?? "").toSorted();
}
