import { join } from "node:path";
import { setInterval } from "node:timers/promises";
import type { Connection } from "../catalogue/rows.ts";
import { Failure } from "../failure.ts";
import { spawnAsOwner } from "./child.ts";
import type { Postgres } from "./postgres.ts";

interface BaseBackupOptions {
  readonly signal: AbortSignal;
  /** Called once the source has said how much there is to copy; a throw ends the backup. */
  readonly onTotal: (bytes: number) => Promise<void>;
  readonly onProgress: (percent: number) => void;
  /** Called every two seconds; a throw ends the backup. */
  readonly watch: () => Promise<void>;
}

const watchPauseMs = 2_000;

/**
 * Copies a running cluster over the replication protocol. It needs a role with REPLICATION and its pg_hba line, nothing else:
 * the slot that keeps the WAL for the length of the copy is a temporary one and goes with the connection.
 */
export async function takeBaseBackup(
  postgres: Postgres,
  source: Connection,
  password: string | undefined,
  dataFolder: string,
  options: BaseBackupOptions,
): Promise<void> {
  const { signal, onTotal, onProgress, watch } = options;
  const stop = new AbortController();
  let roomChecked: Promise<void> | undefined;
  const onLine = (line: string): void => {
    const [, totalKiB, percent] = /\d+\/(\d+) kB \((\d+)%\)/u.exec(line) ?? [];
    if (totalKiB === undefined) return;
    if (roomChecked === undefined) {
      roomChecked = onTotal(Number(totalKiB) * 1024);
      roomChecked.catch((error: unknown) => stop.abort(error));
    }
    onProgress(Number(percent));
  };
  const program = join(await postgres.newest(), "pg_basebackup");
  const child = spawnAsOwner(program, argumentsFor(dataFolder), { env: environmentFor(source, password), onLine });
  const limits = AbortSignal.any([signal, stop.signal]);
  // Its receiver of WAL is a process of its own, which would outlive it and hold our end of the pipe for another 10 s.
  const kill = (): void => child.killAll();
  limits.addEventListener("abort", kill, { once: true });
  void watchWhile(watch, limits, stop, child.ended);
  const { status, lastLines } = await child.ended;
  limits.removeEventListener("abort", kill);
  // A small disk may be full before the check has answered; its words are the better ones.
  await roomChecked;
  limits.throwIfAborted();
  if (status !== 0) throw new Failure(explain(source, lastLines));
  stop.abort();
}

async function watchWhile(
  watch: () => Promise<void>,
  limits: AbortSignal,
  stop: AbortController,
  ended: Promise<unknown>,
): Promise<void> {
  const over = new AbortController();
  void ended.finally(() => over.abort());
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

/** Everything about the source goes through the environment: arguments are readable for every process on the machine. */
const environmentFor = (source: Connection, password: string | undefined): Record<string, string> => ({
  PGHOST: source.host,
  PGPORT: String(source.port),
  PGUSER: source.user,
  PGSSLMODE: source.sslmode,
  PGCONNECT_TIMEOUT: "10",
  HOME: "/nonexistent", // no ~/.pgpass, no ~/.postgresql of whoever runs the engine
  ...(password === undefined ? {} : { PGPASSWORD: password }),
});

function explain({ host, port, user }: Connection, lastLines: string): string {
  const words = lastLines.replaceAll("pg_basebackup: ", "").replaceAll(/\s+/gu, " ");
  const advice = words.includes("no pg_hba.conf entry")
    ? `; add to its pg_hba.conf: host replication ${user} <engine's network> scram-sha-256`
    : "";
  return `base backup of ${user}@${host}:${port} failed: ${words}${advice}`;
}
