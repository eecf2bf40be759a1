import { chown, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Log } from "kube-runtime";
import { Failure } from "../failure.ts";
import { spawnAsOwner } from "./child.ts";
import { type ControlData, cleanlyShutDown } from "./control-data.ts";
import { dataOwner } from "./owner.ts";
import { majorOf, type Postgres } from "./postgres.ts";
import { requireTablespaces } from "./tablespaces.ts";

interface Recovered {
  /** How far the source's WAL was replayed. */
  readonly lsn: string;
  readonly version: string;
}

/**
 * Starts a server of the data's own major on a fresh base backup, lets it replay the WAL that came along, and shuts it down.
 * Afterwards a start needs no recovery. The server is shut off from the world and from the source's own settings: no network,
 * a socket folder of its own, no preload libraries, nobody may log in. The source's configuration files are left as they were.
 */
export async function recoverAndShutDown(
  postgres: Postgres,
  dataFolder: string,
  { signal, log }: { signal: AbortSignal; log: Log },
): Promise<Recovered> {
  const major = await majorOf(dataFolder);
  const program = join(await postgres.ofMajor(major), "postgres");
  await requireTablespaces(dataFolder);
  for (const left of ["standby.signal", "recovery.signal", "backup_manifest"]) await rm(join(dataFolder, left), { force: true });
  const before = await postgres.controlData(dataFolder, signal);
  // Beside the data, so that a crash leaves it in a folder that is begun anew.
  const folder = join(dirname(dataFolder), "recovery");
  try {
    await mkdir(folder, { mode: 0o700 });
    await writeConfiguration(folder, before);
    const lsn = await withAutoConfAside(dataFolder, () => runUntilRecovered(program, dataFolder, folder, signal, log));
    const after = await postgres.controlData(dataFolder, signal);
    if (after.state !== cleanlyShutDown)
      throw new Failure(`recovery left the data in state "${after.state}", not "${cleanlyShutDown}"`);
    return { lsn: lsn ?? after.checkpointLsn, version: after.version };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const ignoreAbsent = (error: NodeJS.ErrnoException): void => {
  if (error.code !== "ENOENT") throw error;
};

/** postgresql.auto.conf is read whatever the configuration file is, and may name what does not exist here. */
async function withAutoConfAside<T>(dataFolder: string, work: () => Promise<T>): Promise<T> {
  const [place, aside] = [join(dataFolder, "postgresql.auto.conf"), join(dataFolder, "postgresql.auto.conf.aside")];
  await rename(place, aside).catch(ignoreAbsent);
  try {
    return await work();
  } finally {
    await rename(aside, place).catch(ignoreAbsent);
  }
}

async function writeConfiguration(folder: string, source: ControlData): Promise<void> {
  const files: Readonly<Record<string, string>> = {
    "postgresql.conf": settingsFor(folder, source)
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join(""),
    "pg_hba.conf": "local all all reject\n",
    "pg_ident.conf": "",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o644 });
  await chown(folder, dataOwner.uid, dataOwner.gid);
}

const settingsFor = (folder: string, source: ControlData): readonly (readonly [string, string])[] => [
  ["listen_addresses", ""],
  // Relative to the data folder: a socket's path may not be longer than 107 bytes.
  ["unix_socket_directories", `../${basename(folder)}`],
  ["hba_file", join(folder, "pg_hba.conf")],
  ["ident_file", join(folder, "pg_ident.conf")],
  ["lc_messages", "C"], // its words are read below
  ["autovacuum", "off"],
  ["max_logical_replication_workers", "0"],
  ["huge_pages", "off"],
  ["dynamic_shared_memory_type", "mmap"], // a container may have no /dev/shm to speak of
  // The pool makes the snapshot durable as a whole; no single file needs it before.
  ["fsync", "off"],
  // Segments that it makes or keeps for later would be bytes of each snapshot.
  ["wal_init_zero", "off"],
  ["wal_recycle", "off"],
  // As at the source: prepared transactions, with as many locks as they hold, and commit timestamps must come through.
  ["max_connections", String(source.maxConnections)],
  ["max_prepared_transactions", String(source.maxPreparedTransactions)],
  ["max_locks_per_transaction", String(source.maxLocksPerTransaction)],
  ["track_commit_timestamp", source.trackCommitTimestamp ? "on" : "off"],
  ["wal_level", source.walLevel],
  ["max_wal_senders", "0"],
  ...walSizes(source),
];

/** A server does not start on WAL segments of which either limit does not hold two; the defaults do so up to 40 MB. */
function walSizes({ walSegmentBytes }: ControlData): readonly (readonly [string, string])[] {
  const twoSegmentsMB = (2 * walSegmentBytes) / 2 ** 20;
  return [
    ["min_wal_size", `${Math.max(twoSegmentsMB, 80)}MB`],
    ["max_wal_size", `${Math.max(twoSegmentsMB, 1024)}MB`],
  ];
}

/** Answers up to where the WAL was replayed, if the server said so. */
async function runUntilRecovered(
  program: string,
  dataFolder: string,
  folder: string,
  signal: AbortSignal,
  log: Log,
): Promise<string | undefined> {
  let lsn: string | undefined;
  signal.throwIfAborted();
  const args = ["-D", dataFolder, "-c", `config_file=${join(folder, "postgresql.conf")}`];
  const child = spawnAsOwner(program, args, {
    onLine: (line) => {
      log.debug({ line }, "recovery");
      lsn = /redo done at ([0-9A-F]+\/[0-9A-F]+)/u.exec(line)?.[1] ?? lsn;
      if (line.includes("database system is ready to accept connections")) child.kill("SIGINT"); // a fast shutdown
    },
  });
  const kill = (): void => child.kill("SIGQUIT");
  signal.addEventListener("abort", kill, { once: true });
  const { status, lastLines } = await child.ended;
  signal.removeEventListener("abort", kill);
  signal.throwIfAborted();
  if (status !== 0) throw new Failure(`recovery of the base backup failed: ${lastLines}${adviceFor(lastLines)}`);
  // Written by the server at its end; it would be refused by a start elsewhere only if its process were alive.
  for (const left of ["postmaster.pid", "postmaster.opts"]) await rm(join(dataFolder, left), { force: true });
  return lsn;
}

/** What the source makes while it is copied, the WAL makes here in the place that it has there, and there is none. */
const adviceFor = (words: string): string =>
  words.includes("Tablespace/CREATE") ? "; the source has made a tablespace while it was copied: take the snapshot again" : "";
