import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Connection } from "../catalogue/rows.ts";
import { CommandFailed, runCommand } from "../command.ts";
import { Failure } from "../failure.ts";
import type { Postgres } from "./postgres.ts";
import type { Secrets } from "./secrets.ts";
import { parsePosition } from "./wal-position.ts";

/** A production database and what PostgreSQL's client programs need to reach it. */
export interface Source {
  readonly connection: Connection;
  /** Everything about the source goes through the environment: arguments are readable for every process on the machine. */
  readonly env: Readonly<Record<string, string>>;
}

/** Calls `work` with the source; the authority's certificate, if there is one, lies in `folder` for that time. */
export async function withSource<T>(
  connection: Connection,
  secrets: Secrets,
  folder: string,
  work: (source: Source) => Promise<T>,
): Promise<T> {
  const { passwordSecret, sslRootCertSecret } = connection;
  const password = connection.password ?? (passwordSecret === undefined ? undefined : await secrets.readPassword(passwordSecret));
  if (sslRootCertSecret === undefined) return await work({ connection, env: environmentFor(connection, password) });
  const file = join(folder, "root.crt");
  await writeFile(file, await secrets.read(sslRootCertSecret), { mode: 0o644 });
  try {
    return await work({ connection, env: { ...environmentFor(connection, password), PGSSLROOTCERT: file } });
  } finally {
    await rm(file, { force: true });
  }
}

const environmentFor = ({ host, port, user, sslmode }: Connection, password: string | undefined): Record<string, string> => ({
  PGHOST: host,
  PGPORT: String(port),
  PGUSER: user,
  PGSSLMODE: sslmode,
  PGCONNECT_TIMEOUT: "10",
  HOME: "/nonexistent", // no ~/.pgpass, no ~/.postgresql of whoever runs the engine
  ...(password === undefined ? {} : { PGPASSWORD: password }),
  // Whoever stands in between could ask for the password itself, unless the server has proven who it is.
  ...(password === undefined || sslmode.startsWith("verify-") ? {} : { PGREQUIREAUTH: "scram-sha-256,md5" }),
});

/**
 * Answers the source's major, and throws unless a server of it is installed here. Asked before anything is copied: a base backup that cannot be
 * recovered afterwards would have read all of production for nothing.
 */
export async function requireMajor(postgres: Postgres, source: Source, signal: AbortSignal): Promise<number> {
  const [version] = await ask(postgres, source, ["SHOW server_version_num"], signal);
  const major = Math.floor(Number(version) / 10_000);
  await postgres.ofMajor(major);
  return major;
}

/** Where a source is in its history. */
export interface SourcePosition {
  readonly timeline: number;
  /** All before it is on the source's disk. */
  readonly position: bigint;
}

export interface SourceState extends SourcePosition {
  /** Why this source is to be copied and not streamed from. */
  readonly obstacle: string | undefined;
}

export async function stateOf(postgres: Postgres, source: Source, signal: AbortSignal): Promise<SourceState> {
  const commands = ["IDENTIFY_SYSTEM", "SHOW synchronous_standby_names"];
  const [system = "", standbys = ""] = await ask(postgres, source, commands, signal, "connection to");
  const [, timeline, position = ""] = system.split("|");
  const obstacle = countsAsStandby(standbys)
    ? `synchronous_standby_names of the source ("${standbys}") would let its commits wait for the engine: name its standbys there, and neither * nor ${applicationName}`
    : undefined;
  return { timeline: Number(timeline), position: parsePosition(position), obstacle };
}

/** Whether a standby that calls itself as the engine does can be one that commits wait for. */
export const countsAsStandby = (synchronousStandbyNames: string): boolean =>
  synchronousStandbyNames.includes("*") || synchronousStandbyNames.toLowerCase().includes(applicationName);

/** What the source sees as the client's name. */
export const applicationName = "delphix-engine";

/** libpq's ways to notice a dead network; without them a vanished source would hold a client for hours. */
export const patientConnection = `keepalives_idle=30 keepalives_interval=10 keepalives_count=3 tcp_user_timeout=60000 application_name=${applicationName}`;

/** A connection that takes commands of the replication protocol. */
export const commandConnection = `replication=true application_name=${applicationName}`;

/** Commands of the replication protocol; an answer for each. */
async function ask(
  postgres: Postgres,
  { connection, env }: Source,
  commands: readonly string[],
  signal: AbortSignal,
  what?: string,
): Promise<readonly string[]> {
  const psql = join(await postgres.newest(), "psql");
  const given = ["--no-psqlrc", "--no-password", "-tA", ...commands.flatMap((one) => ["-c", one])];
  const program = [...given, commandConnection];
  const answer = await runCommand(psql, program, { signal, env }).catch((error: unknown) => {
    throw error instanceof CommandFailed ? new Failure(explain(connection, error.stderr || error.message, what)) : error;
  });
  return answer.trimEnd().split("\n");
}

/** The words of a program that failed, and what to do about those that are known. */
export function explain({ host, port, user }: Connection, lastLines: string, what = "base backup of"): string {
  const words = lastLines
    .replaceAll(/pg_basebackup: |psql: error: /gu, "")
    .trim()
    .replaceAll(/\s+/gu, " ");
  return `${what} ${user}@${host}:${port} failed: ${words}${adviceFor(words, user)}`;
}

function adviceFor(words: string, user: string): string {
  if (words.includes("no pg_hba.conf entry"))
    return `; add a line to the source's pg_hba.conf: host replication ${user} <engine's network> scram-sha-256`;
  if (words.includes("authentication method requirement"))
    return "; the engine sends its password only as scram-sha-256 or md5: set one of them in the source's pg_hba.conf, or use sslmode verify-full";
  return "";
}
