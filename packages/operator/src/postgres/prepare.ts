import type { ExecResult } from "kube-runtime";
import { prepareScript } from "./generated/prepare-script.ts";

export interface Preparation {
  /** The texts of pg_hba.conf and settings.conf as they shall be in force. */
  readonly hba: string;
  readonly settings: string;
  readonly role: string;
  /** The one that the role shall be able to use. */
  readonly database: string;
  /** What the role's password shall be stored as. Undefined: leave it as it is. */
  readonly verifier: string | undefined;
}

/** What the server was found to be, after the preparation. */
export interface ServerState {
  readonly roleExists: boolean;
  readonly roleCanLogin: boolean;
  /** The role's password is past its VALID UNTIL: nobody is let in with it. */
  readonly roleExpired: boolean;
  /** The role has the right CONNECT on the database, if both are there. */
  readonly mayConnect: boolean;
  /** Those that may log in, sorted. */
  readonly roles: readonly string[];
  /** Those one can connect to, sorted. */
  readonly databases: readonly string[];
  /** Settings of the manifest that are in force only after a restart, sorted. */
  readonly pendingRestart: readonly string[];
  /** The same of settings that somebody changed in the database itself, by ALTER SYSTEM. */
  readonly pendingElsewhere: readonly string[];
  /** False while the server has not read its files yet. */
  readonly loaded: boolean;
  /** Settings of the source that were left out, sorted. */
  readonly dropped: readonly string[];
  /** Those that came with the copy and are still open, oldest first; at most 20. */
  readonly preparedTransactions: readonly PreparedTransaction[];
  /** Why what ALTER SYSTEM had set was set aside at the start, in PostgreSQL's words; empty if nothing was. */
  readonly setAside: string;
  /** `16.2`. */
  readonly version: string;
}

/** Prepared for a commit in two phases, at the source. `since` as `2026-01-01T00:00:00Z`. */
export interface PreparedTransaction {
  readonly gid: string;
  readonly owner: string;
  readonly database: string;
  readonly since: string;
}

export type PreparationResult =
  | { readonly kind: "answer"; readonly state: ServerState }
  | { readonly kind: "settingRefused" | "noSuchRole" | "sqlFailed" | "unreachable"; readonly message: string };

/** The command for `pods/exec`, and what goes to its standard input: a verifier is in no process list. */
export function preparationCommand({ hba, settings, role, database, verifier }: Preparation): {
  readonly command: readonly string[];
  readonly stdin: string;
} {
  return { command: ["/bin/sh", "-c", prepareScript, "prepare", hba, settings, role, database], stdin: sql(verifier) };
}

/**
 * One session, as the cluster's first superuser, whatever it is called. The password is written only where the stored one
 * differs, so that a second run changes nothing.
 */
function sql(verifier: string | undefined): string {
  return `
SELECT rolname AS first_superuser, rolname <> current_user AS is_another FROM pg_roles WHERE oid = 10 \\gset
\\if :is_another
\\connect - :"first_superuser"
\\endif
${silence}
${verifier === undefined ? "" : passwordStatements(verifier)}
SELECT pg_conf_load_time() AS loaded_before \\gset
\\if :reload
SELECT pg_reload_conf() AS sent \\gset
SELECT pg_sleep(0.02) AS slept \\gset
SELECT pg_sleep(0.03) AS slept \\gset
\\endif
SELECT json_build_object(
  'roleExists', EXISTS (SELECT FROM pg_roles WHERE rolname = :'role'),
  'roleCanLogin', EXISTS (SELECT FROM pg_roles WHERE rolname = :'role' AND rolcanlogin),
  'roleExpired', EXISTS (SELECT FROM pg_roles WHERE rolname = :'role' AND rolvaliduntil <= now()),
  'mayConnect', coalesce((SELECT has_database_privilege(r.oid, d.oid, 'CONNECT')
    FROM pg_roles r, pg_database d WHERE r.rolname = :'role' AND d.datname = :'database'), true),
  'roles', (SELECT coalesce(json_agg(rolname ORDER BY rolname), '[]') FROM pg_roles WHERE rolcanlogin),
  'databases', (SELECT coalesce(json_agg(datname ORDER BY datname), '[]') FROM pg_database WHERE datallowconn AND NOT datistemplate),
  'pendingRestart', (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM pg_settings WHERE pending_restart AND ${declared}),
  'pendingElsewhere', (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM pg_settings WHERE pending_restart AND NOT ${declared}),
  'loaded', NOT :'reload'::bool OR pg_conf_load_time() > :'loaded_before',
  'dropped', string_to_array(trim(E'\\n' FROM coalesce(pg_read_file('vdb-dropped-settings', 0, 65536, true), '')), E'\\n'),
  'preparedTransactions', (${preparedBefore}),
  'setAside', trim(E'\\n' FROM coalesce(pg_read_file('postgresql.auto.conf.words', 0, 2000, true), '')),
  'version', split_part(current_setting('server_version'), ' ', 1)
);
-- end
`;
}

/** Whoever prepared them is not here to end them. The file was written before the copy's first start. */
const preparedBefore = `SELECT coalesce(json_agg(json_build_object('gid', gid, 'owner', owner, 'database', database,
    'since', to_char(prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))), '[]')
  FROM (SELECT * FROM pg_prepared_xacts WHERE prepared < (pg_stat_file('vdb-content-id')).modification
    ORDER BY prepared, gid LIMIT 20) AS came`;

/** Whether a row of pg_settings is of the settings that the manifest has changed since the start. */
const declared = "lower(name) = ANY (string_to_array(lower(:'changed'), ','))";

/** A verifier must not get into the server's log, whatever the source has it write there. Not every version has each setting. */
const silence = `SELECT count(set_config(name, silent, false)) AS silenced FROM pg_settings JOIN (VALUES
  ('log_statement', 'none'), ('log_min_duration_statement', '-1'), ('log_min_duration_sample', '-1'),
  ('log_transaction_sample_rate', '0'), ('log_min_error_statement', 'panic')) AS quiet (name, silent) USING (name) \\gset`;

function passwordStatements(verifier: string): string {
  if (!/^SCRAM-SHA-256\$[A-Za-z0-9+/=:$]+$/u.test(verifier)) throw new TypeError("not a SCRAM verifier"); // it goes into psql's text
  return `\\set verifier '${verifier}'
SELECT format('ALTER ROLE %I PASSWORD %L', rolname, :'verifier')
  FROM pg_authid WHERE rolname = :'role' AND rolpassword IS DISTINCT FROM :'verifier' \\gexec`;
}

/** What the command's end means. */
export function preparationResult({
  exitCode,
  stdout,
  stderr,
}: Pick<ExecResult, "exitCode" | "stdout" | "stderr">): PreparationResult {
  const message = stderr.replace(/^psql:(?:<stdin>:\d+: )?/gmu, "").trim();
  switch (exitCode) {
    case 0:
      return { kind: "answer", state: decodeState(stdout) };
    case 10:
      return { kind: "settingRefused", message };
    case 2:
      return { kind: /role ".*" does not exist/u.test(message) ? "noSuchRole" : "unreachable", message };
    default:
      return { kind: "sqlFailed", message: message === "" ? `the command ended with exit code ${exitCode}` : message };
  }
}

function decodeState(stdout: string): ServerState {
  const answer: unknown = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  if (typeof answer !== "object" || answer === null) throw new TypeError("the server's answer is no object");
  const fields = new Map<string, unknown>(Object.entries(answer));
  const truth = (name: string): boolean => fields.get(name) === true;
  const names = (name: string): readonly string[] => {
    const list = fields.get(name);
    return Array.isArray(list) ? list.map(String) : [];
  };
  const setAside = fields.get("setAside");
  return {
    roleExists: truth("roleExists"),
    roleCanLogin: truth("roleCanLogin"),
    roleExpired: truth("roleExpired"),
    mayConnect: truth("mayConnect"),
    roles: names("roles"),
    databases: names("databases"),
    pendingRestart: names("pendingRestart"),
    pendingElsewhere: names("pendingElsewhere"),
    loaded: truth("loaded"),
    dropped: names("dropped"),
    preparedTransactions: preparedTransactionsOf(fields.get("preparedTransactions")),
    setAside: typeof setAside === "string" ? setAside : "",
    version: String(fields.get("version")),
  };
}

function preparedTransactionsOf(list: unknown): readonly PreparedTransaction[] {
  return (Array.isArray(list) ? list : []).map((one: unknown) => {
    const fields = new Map<string, unknown>(Object.entries(one ?? {}));
    const text = (name: string): string => String(fields.get(name));
    return { gid: text("gid"), owner: text("owner"), database: text("database"), since: text("since") };
  });
}
