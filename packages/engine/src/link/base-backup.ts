import { createReadStream } from "node:fs";
import { dirname, join } from "node:path";
import { setInterval } from "node:timers/promises";
import { Failure } from "../failure.ts";
import { type ArchivePipes, archivePipes, walArchive } from "./archive-pipe.ts";
import { listTablespaces } from "./backup-head.ts";
import { type Child, spawnAsOwner } from "./child.ts";
import { type Overwriting, overwriting } from "./overwrite.ts";
import { dataOwner } from "./owner.ts";
import type { Postgres } from "./postgres.ts";
import { explain, patientConnection, type Source } from "./source.ts";
import { folderOfTablespace, linkTablespaces, tablespacesIn } from "./tablespaces.ts";

interface BaseBackupOptions {
  readonly signal: AbortSignal;
  /** The source's. */
  readonly major: number;
  /** Called once the source has said how much there is to copy; a throw ends the backup. */
  readonly onTotal: (bytes: number, copying: Copying) => Promise<void>;
  readonly onProgress: (percent: number) => void;
  /** Called when the source's files are in their place, and not yet the WAL that makes them one. */
  readonly onFiles: () => Promise<void>;
  /** Called again and again while it goes on; a throw ends the backup. */
  readonly watch: (copying: Copying) => Promise<void>;
}

type Copying = Pick<Child, "paused">;

/** A fast source writes some hundred MiB in this time. */
const watchPauseMs = 250;

/** How much has come, and how much of it differed from what was there. */
export interface BaseBackup {
  /** When the source was as the copy is. */
  readonly end: Date;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/**
 * Each try costs the source a checkpoint. More than one is needed only where this process stands still for as long as that takes, and
 * where the source has other tablespaces than it had.
 */
const tries = 5;

/** Why a try has come to nothing, and another may not. */
const missed = new Error("an archive has been begun as a file");
const others = new Error("the source has other tablespaces");

/**
 * Makes the data folder what a running cluster is, over the replication protocol, and writes only what differs. It needs a role with
 * REPLICATION and its pg_hba line, nothing else: the slot that keeps the WAL on its way is a temporary one and goes with the connection.
 */
export async function takeBaseBackup(
  postgres: Postgres,
  source: Source,
  dataFolder: string,
  options: BaseBackupOptions,
): Promise<BaseBackup> {
  const program = join(await postgres.newest(), "pg_basebackup");
  let tablespaces = await tablespacesIn(dataFolder);
  for (let left = tries; left > 0; left -= 1) {
    const copy = overwriting(dataFolder, dataOwner);
    await using pipes = await archivePipes(dirname(dataFolder), [...tablespaces.map(archiveOf), "base.tar"]);
    const end = await runBackup(program, source, pipes, copy, options);
    if (end === missed) continue;
    if (end instanceof Error) {
      tablespaces = await listTablespaces(postgres, options.major, source, options.signal);
      continue;
    }
    await options.onFiles();
    await copy.take(createReadStream(join(pipes.folder, walArchive)), "pg_wal");
    await copy.removeOthers();
    await linkTablespaces(dataFolder, tablespaces);
    return { end, readBytes: copy.bytes.read, writtenBytes: copy.bytes.written };
  }
  throw new Failure(
    `base backup of ${source.connection.host} failed: the engine is too busy to take what pg_basebackup sends, or the source's tablespaces change all the time`,
  );
}

const archiveOf = (oid: string): string => `${oid}.tar`;
const placeOf = (archive: string): string => (archive === "base.tar" ? "" : folderOfTablespace(archive.replace(".tar", "")));

/** Answers when the source was as the copy is, or why there has to be another try. */
async function runBackup(
  program: string,
  { connection, env }: Source,
  pipes: ArchivePipes,
  copy: Overwriting,
  { signal, onTotal, onProgress, watch }: BaseBackupOptions,
): Promise<Date | Error> {
  const stop = new AbortController();
  let roomChecked: Promise<void> | undefined;
  let end: Date | undefined;
  const onLine = (line: string): void => {
    // The program has looked into its folder.
    if (line.includes("initiating base backup") && !pipes.place()) stop.abort(missed);
    // What is committed from here on is not in the copy.
    if (line.includes("write-ahead log end point: ")) end ??= new Date();
    const [, totalKiB, percent, spaces] = /\d+\/(\d+) kB \((\d+)%\), \d+\/(\d+) tablespace/u.exec(line) ?? [];
    if (totalKiB === undefined) return;
    // The data folder counts as one.
    if (Number(spaces) !== pipes.archives.size) stop.abort(others);
    else if (roomChecked === undefined) {
      roomChecked = onTotal(Number(totalKiB) * 1024, child);
      roomChecked.catch((error: unknown) => stop.abort(error));
    }
    onProgress(Number(percent));
  };
  const limits = AbortSignal.any([signal, stop.signal]);
  limits.throwIfAborted();
  const child = spawnAsOwner(program, argumentsFor(pipes.folder), { env, onLine });
  const kill = (): void => child.kill("SIGKILL");
  limits.addEventListener("abort", kill, { once: true });
  const look = async (): Promise<void> => {
    if (pipes.hasOthers()) throw others;
    await watch(child);
  };
  void watchWhile(look, limits, stop, child.ended);
  const taken = [...pipes.archives].map(([name, archive]) => copy.take(archive, placeOf(name)));
  for (const one of taken) one.catch((error: unknown) => stop.abort(error));
  const { status, lastLines } = await child.ended;
  // An archive that ends in the middle does so because the program did, whose words say why.
  const failed = status !== 0 && !limits.aborted;
  pipes.end();
  await Promise.allSettled(taken); // nothing is written any more when another try begins
  limits.removeEventListener("abort", kill);
  if (stop.signal.reason === missed || stop.signal.reason === others) return stop.signal.reason;
  if (pipes.hasOthers()) return others;
  // A small disk may be full before the check has answered; its words are the better ones.
  await roomChecked;
  signal.throwIfAborted();
  if (failed) throw new Failure(explain(connection, lastLines));
  limits.throwIfAborted();
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
const argumentsFor = (folder: string): readonly string[] => [
  `--pgdata=${folder}`,
  "--format=tar",
  "--wal-method=stream",
  "--checkpoint=fast",
  "--no-sync",
  "--no-manifest",
  "--progress",
  "--verbose",
  "--no-password",
  `--dbname=${patientConnection}`,
];
