import { join } from "node:path";
import { setInterval } from "node:timers/promises";
import { Failure } from "../failure.ts";
import { type Child, spawnAsOwner } from "./child.ts";
import type { Postgres } from "./postgres.ts";
import { explain, type Source } from "./source.ts";
import { tablespacesAre, unsupportedTablespaces } from "./tablespaces.ts";

interface BaseBackupOptions {
  readonly signal: AbortSignal;
  /** Called once the source has said how much there is to copy; a throw ends the backup. */
  readonly onTotal: (bytes: number, copying: Copying) => Promise<void>;
  readonly onProgress: (percent: number) => void;
  /** Called again and again while it goes on; a throw ends the backup. */
  readonly watch: (copying: Copying) => Promise<void>;
}

type Copying = Pick<Child, "paused">;

/** A fast source writes some hundred MiB in this time. */
const watchPauseMs = 250;

/**
 * Copies a running cluster over the replication protocol; answers when it was as the copy is. It needs a role with REPLICATION and
 * its pg_hba line, nothing else: the slot that keeps the WAL for the length of the copy is a temporary one and goes with the connection.
 */
export async function takeBaseBackup(
  postgres: Postgres,
  { connection, env }: Source,
  dataFolder: string,
  options: BaseBackupOptions,
): Promise<Date> {
  const { signal, onTotal, onProgress, watch } = options;
  const stop = new AbortController();
  let roomChecked: Promise<void> | undefined;
  let end: Date | undefined;
  const onLine = (line: string): void => {
    // What is committed from here on is not in the copy.
    if (line.includes("write-ahead log end point: ")) end ??= new Date();
    const [, totalKiB, percent, spaces] = /\d+\/(\d+) kB \((\d+)%\), \d+\/(\d+) tablespace/u.exec(line) ?? [];
    if (totalKiB === undefined) return;
    // The data folder counts as one.
    if (Number(spaces) > 1) stop.abort(new Failure(unsupportedTablespaces));
    if (roomChecked === undefined) {
      roomChecked = onTotal(Number(totalKiB) * 1024, child);
      roomChecked.catch((error: unknown) => stop.abort(error));
    }
    onProgress(Number(percent));
  };
  const program = join(await postgres.newest(), "pg_basebackup");
  const limits = AbortSignal.any([signal, stop.signal]);
  limits.throwIfAborted();
  const child = spawnAsOwner(program, argumentsFor(dataFolder), { env, onLine });
  const kill = (): void => child.kill("SIGKILL");
  limits.addEventListener("abort", kill, { once: true });
  void watchWhile(() => watch(child), limits, stop, child.ended);
  const { status, lastLines } = await child.ended;
  limits.removeEventListener("abort", kill);
  // A small disk may be full before the check has answered; its words are the better ones.
  await roomChecked;
  limits.throwIfAborted();
  if (status !== 0)
    throw new Failure(tablespacesAre(lastLines, dataFolder) ? unsupportedTablespaces : explain(connection, lastLines));
  stop.abort();
  return end ?? new Date();
}

async function watchWhile(
  watch: () => Promise<void>,
  limits: AbortSignal,
  stop: AbortController,
  ended: Promise<unknown>,
): Promise<void> {
  const over = new AbortController();
  const end = (): void => over.abort();
  void ended.then(end, end);
  try {
    for await (const _ of setInterval(watchPauseMs, undefined, { signal: AbortSignal.any([limits, over.signal]) })) await watch();
  } catch (error) {
    if (!over.signal.aborted && !limits.aborted) stop.abort(error);
  }
}

/**
 * `--checkpoint=fast`: a spread checkpoint would let the copy wait for minutes. `--no-sync`: the clone that becomes the
 * snapshot brings everything to the disk (pool laws).
 */
const argumentsFor = (dataFolder: string): readonly string[] => [
  `--pgdata=${dataFolder}`,
  "--format=plain",
  "--wal-method=stream",
  "--checkpoint=fast",
  "--no-sync",
  "--progress",
  "--verbose",
  "--no-password",
  // libpq's ways to notice a dead network; without them a vanished source would hold the job for hours.
  "--dbname=keepalives_idle=30 keepalives_interval=10 keepalives_count=3 tcp_user_timeout=60000 application_name=delphix-engine",
];
