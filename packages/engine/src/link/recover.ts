import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Log } from "kube-runtime";
import { Failure } from "../failure.ts";
import { spawnAsOwner } from "./child.ts";
import { type ControlData, cleanlyShutDown } from "./control-data.ts";
import { majorOf, type Postgres } from "./postgres.ts";
import { putAutoConfBack, type Setting, setAutoConfAside, writeServerFolder } from "./server-folder.ts";
import { requireTablespaces } from "./tablespaces.ts";

export interface Recovered {
  /** How far the source's WAL was replayed. */
  readonly lsn: string;
  readonly version: string;
  /** Of the data now: its last checkpoint lies behind all that was replayed. */
  readonly control: ControlData;
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
    await writeServerFolder(folder, before, settingsFor(before));
    const lsn = await withAutoConfAside(dataFolder, () => runUntilRecovered(program, dataFolder, folder, signal, log));
    const after = await postgres.controlData(dataFolder, signal);
    if (after.state !== cleanlyShutDown)
      throw new Failure(`recovery left the data in state "${after.state}", not "${cleanlyShutDown}"`);
    return { lsn: lsn ?? after.checkpointLsn, version: after.version, control: after };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function withAutoConfAside<T>(dataFolder: string, work: () => Promise<T>): Promise<T> {
  await setAutoConfAside(dataFolder);
  try {
    return await work();
  } finally {
    await putAutoConfBack(dataFolder);
  }
}

const settingsFor = (source: ControlData): Setting[] => [
  // The pool makes the snapshot durable as a whole; no single file needs it before.
  ["fsync", "off"],
  // As at the source: prepared transactions, with as many locks as they hold, must come through.
  ["max_connections", String(source.maxConnections)],
  ["max_locks_per_transaction", String(source.maxLocksPerTransaction)],
  ["wal_level", source.walLevel],
];

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
