/** What a server of the engine's own reads in place of the source's settings. It is shut off from the world: no network, nobody may log in. */
import { chown, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { ControlData } from "./control-data.ts";
import { dataOwner } from "./owner.ts";

export type Setting = readonly [name: string, value: string];

/** Made beside the data folder. Its server is started with this folder's `postgresql.conf` as `config_file`. */
export async function writeServerFolder(folder: string, source: ControlData, settings: readonly Setting[]): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  const files: Readonly<Record<string, string>> = {
    "postgresql.conf": [...closedOff(folder, source), ...settings]
      .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
      .join(""),
    "pg_hba.conf": "local all all reject\n",
    "pg_ident.conf": "",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o644 });
  await chown(folder, dataOwner.uid, dataOwner.gid);
}

const closedOff = (folder: string, source: ControlData): readonly Setting[] => [
  ["listen_addresses", ""],
  // Relative to the data folder: a socket's path may not be longer than 107 bytes.
  ["unix_socket_directories", `../${basename(folder)}`],
  ["hba_file", join(folder, "pg_hba.conf")],
  ["ident_file", join(folder, "pg_ident.conf")],
  ["lc_messages", "C"], // the engine reads its words
  ["autovacuum", "off"],
  ["max_logical_replication_workers", "0"],
  ["huge_pages", "off"],
  ["dynamic_shared_memory_type", "mmap"], // a container may have no /dev/shm to speak of
  // Segments that it makes or keeps for later would be bytes of each snapshot.
  ["wal_init_zero", "off"],
  ["wal_recycle", "off"],
  // As at the source: prepared transactions and commit timestamps must come through.
  ["max_prepared_transactions", String(source.maxPreparedTransactions)],
  ["track_commit_timestamp", source.trackCommitTimestamp ? "on" : "off"],
  ["max_wal_senders", "0"],
  ...walSizes(source),
];

/** A server does not start on WAL segments of which either limit does not hold two; the defaults do so up to 40 MB. */
function walSizes({ walSegmentBytes }: ControlData): readonly Setting[] {
  const twoSegmentsMB = (2 * walSegmentBytes) / 2 ** 20;
  return [
    ["min_wal_size", `${Math.max(twoSegmentsMB, 80)}MB`],
    ["max_wal_size", `${Math.max(twoSegmentsMB, 1024)}MB`],
  ];
}

const autoConfOf = (dataFolder: string): readonly [place: string, aside: string] => {
  const place = join(dataFolder, "postgresql.auto.conf");
  return [place, `${place}.aside`];
};

/** postgresql.auto.conf is read whatever the configuration file is, and may name what does not exist here. */
export async function setAutoConfAside(dataFolder: string): Promise<void> {
  const [place, aside] = autoConfOf(dataFolder);
  await rename(place, aside).catch(ignoreAbsent);
}

export async function putAutoConfBack(dataFolder: string): Promise<void> {
  const [place, aside] = autoConfOf(dataFolder);
  await rename(aside, place).catch(ignoreAbsent);
}

const ignoreAbsent = (error: NodeJS.ErrnoException): void => {
  if (error.code !== "ENOENT") throw error;
};
