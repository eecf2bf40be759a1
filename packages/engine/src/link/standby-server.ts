import { rmSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "kube-runtime";
import { type Child, spawnAsOwner } from "./child.ts";
import { beginOf, type KnownWal, knownWal } from "./known-wal.ts";
import { majorOf, type Postgres } from "./postgres.ts";
import { type Setting, setAutoConfAside, writeServerFolder } from "./server-folder.ts";
import { patientConnection, type Source } from "./source.ts";
import { heard, receivedBy, replayedBy, type Said } from "./standby-lines.ts";

/** A server that replays what the source sends, for as long as it lives. */
export interface StandbyServer {
  readonly ended: Promise<{ readonly lastLines: string }>;
  /** Up to where the source's WAL is on its disk, as far as is known. */
  received(): bigint | undefined;
  /** Changes while it receives or replays something. */
  progress(): string;
  /** What it has received since it was asked last; bytes that were sent twice count twice. */
  newBytes(): number;
  /** Where it streams on, or streamed on last. */
  readonly timeline: () => number | undefined;
  /** What it had when it was started. */
  readonly known: KnownWal | undefined;
  readonly isConsistent: () => boolean;
  /** All before this, or all but a part of its segment. */
  readonly hasReplayed: (position: bigint) => boolean;
  readonly paused: Child["paused"];
  /** Cleanly, within this time; otherwise by force. */
  stop(withinMs: number): Promise<void>;
}

interface StandbyOptions {
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly onSaid: (said: Said) => void;
}

/** Without its file libpq connects to nowhere. */
const service = "source";

/** In `folder` lies `data`, a base backup or what this has made of it. */
export async function startStandby(
  postgres: Postgres,
  { env }: Source,
  folder: string,
  { signal, log, onSaid }: StandbyOptions,
): Promise<StandbyServer> {
  const [data, server] = [join(folder, "data"), join(folder, "server")];
  const program = join(await postgres.ofMajor(await majorOf(data)), "postgres");
  const control = await postgres.controlData(data, signal);
  await writeServerFolder(server, control, standbySettings);
  const entrance = join(server, "entrance");
  await writeFile(entrance, `[${service}]\n`, { mode: 0o644 });
  await setAutoConfAside(data);
  for (const left of ["recovery.signal", "backup_manifest"]) await rm(join(data, left), { force: true });
  await writeFile(join(data, "standby.signal"), "", { mode: 0o600 });

  const known = await knownWal(folder, control.walSegmentBytes);
  let [received, counted, bytes] = [0n, 0n, 0];
  let timeline: number | undefined;
  let [consistent, stopping] = [false, false];
  const look = (): void => {
    const now = receivedBy(child.titles());
    if (now !== undefined && now > received) received = now;
    if (now === undefined || now <= counted) return;
    bytes += Number(now - counted);
    counted = now;
  };
  const onLine = (line: string): void => {
    log.debug({ line }, "standby");
    const said = heard(line);
    if (said === undefined || stopping) return;
    if (said.kind === "consistent") consistent = true;
    if (said.kind === "streaming") {
      // On another timeline what was received beyond its beginning does not count.
      received = timeline === undefined || timeline === said.timeline ? max(received, said.position) : said.position;
      [counted, timeline] = [said.position, said.timeline];
      // Where this connection leads, another one might not: that is for the next start to compare.
      rmSync(entrance, { force: true });
    }
    onSaid(said);
  };
  const child = spawnAsOwner(program, ["-D", data, "-c", `config_file=${join(server, "postgresql.conf")}`], {
    env: { ...env, PGSERVICEFILE: entrance },
    onLine,
  });
  return {
    ended: child.ended,
    received: () => {
      look();
      return timeline === undefined ? undefined : received;
    },
    progress: () => {
      look();
      return `${received} ${replayedBy(child.titles())}`;
    },
    newBytes: () => {
      look();
      const since = bytes;
      bytes = 0;
      return since;
    },
    timeline: () => timeline,
    known,
    isConsistent: () => consistent,
    hasReplayed: (position) => {
      const segment = replayedBy(child.titles());
      return segment !== undefined && beginOf(segment, control.walSegmentBytes) + BigInt(control.walSegmentBytes) >= position;
    },
    paused: (work) => child.paused(work),
    stop: async (withinMs) => {
      stopping = true;
      child.kill("SIGINT"); // a fast shutdown
      const force = setTimeout(() => child.kill("SIGKILL"), withinMs);
      await child.ended.finally(() => clearTimeout(force));
    },
  };
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

const standbySettings: readonly Setting[] = [
  ["log_line_prefix", ""], // see standby-lines.ts
  // Everything else about the source is in the environment, see source.ts. It may not be empty, else the server does not stream.
  ["primary_conninfo", `${patientConnection} service=${service}`],
  ["recovery_target_timeline", "latest"],
  ["wal_retrieve_retry_interval", "2s"],
  // Nobody may look into it, so the source's limits (max_connections and others) need not be known here.
  ["hot_standby", "off"],
  ["max_connections", "5"],
  ["superuser_reserved_connections", "1"],
  ["max_worker_processes", "0"],
  // It reads few pages twice.
  ["shared_buffers", "16MB"],
  ["wal_buffers", "1MB"],
  // It has the position that it has received in its process's title.
  ["update_process_title", "on"],
  // A restart point soon after each checkpoint of the source: WAL before it is removed, and no snapshot has to replay it.
  ["checkpoint_timeout", "30s"],
  ["checkpoint_completion_target", "0.5"],
  ["restart_after_crash", "off"], // the engine does that
];
