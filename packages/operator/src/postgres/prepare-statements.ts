import { type Cleaning, databaseStatements } from "./database-statements.ts";

/** What is to do in the databases themselves. `cleaning` undefined: nothing but to look what there is to tell. */
export interface Inside {
  readonly cleaning: Cleaning | undefined;
}

export interface Statements {
  /** What the role's password shall be stored as. Undefined: leave it as it is. */
  readonly verifier: string | undefined;
  /** The role may log in; others lose that when the copy is cleaned. */
  readonly lockOtherRoles?: boolean;
  readonly inside?: Inside | undefined;
}

/**
 * One session of a superuser; in any other session the statements do nothing and print nothing. The password is written only where
 * the stored one differs, so that a second run changes nothing; a standby tells that it cannot be. Then, if asked for, one session
 * in each database.
 */
export function statements({ verifier, lockOtherRoles = false, inside }: Statements): string {
  return `
SELECT coalesce((SELECT rolsuper FROM pg_roles WHERE rolname = current_user), false) AS is_superuser \\gset
\\if :is_superuser
${silence}
${verifier === undefined ? "" : passwordStatements(verifier)}
${lockOtherRoles ? admitRole : ""}
${lockOtherRoles && inside?.cleaning !== undefined ? lockOthers : ""}
SELECT pg_conf_load_time() AS loaded_before, NOT :'reload'::bool AS loaded \\gset
\\if :reload
SELECT pg_reload_conf() AS sent \\gset
\\endif
${untilLoaded}
SELECT json_build_object(
  'roleExists', EXISTS (SELECT FROM pg_roles WHERE rolname = :'role'),
  'roleCanLogin', EXISTS (SELECT FROM pg_roles WHERE rolname = :'role' AND rolcanlogin),
  'superuser', current_user,
  'superuserDatabase', current_database(),
  'databaseExists', EXISTS (SELECT FROM pg_database WHERE datname = :'database'),
  'full', ${full},
  'sessionSettings', ${sessionSettings},
  'roleExpired', EXISTS (SELECT FROM pg_roles WHERE rolname = :'role' AND rolvaliduntil <= now()),
  'mayConnect', coalesce((SELECT has_database_privilege(r.oid, d.oid, 'CONNECT')
    FROM pg_roles r, pg_database d WHERE r.rolname = :'role' AND d.datname = :'database'), true),
  'roles', (SELECT coalesce(json_agg(rolname ORDER BY rolname), '[]') FROM pg_roles WHERE rolcanlogin),
  'databases', (SELECT coalesce(json_agg(datname ORDER BY datname), '[]') FROM pg_database WHERE datallowconn AND datconnlimit <> -2 AND NOT datistemplate),
  'pendingRestart', (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM pg_settings WHERE pending_restart AND ${declared}),
  'pendingElsewhere', (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM pg_settings WHERE pending_restart AND NOT ${declared}),
  'loaded', :'loaded'::bool,
  'dropped', string_to_array(trim(E'\\n' FROM coalesce(pg_read_file('vdb-dropped-settings', 0, 65536, true), '')), E'\\n'),
  'preparedTransactions', (${preparedBefore}),
  'setAside', trim(E'\\n' FROM coalesce(pg_read_file('postgresql.auto.conf.words', 0, 2000, true), '')),
  'isStandby', pg_is_in_recovery(),
  'needsWriting', pg_is_in_recovery() AND EXISTS (SELECT FROM pg_authid WHERE rolname = :'role' AND (${lacks(verifier, lockOtherRoles)})),
  'version', split_part(current_setting('server_version'), ' ', 1)
);
${inside === undefined ? "" : listDatabases}
\\endif
${inside === undefined ? "" : `-- in each database\n${databaseStatements(inside.cleaning)}`}
-- end
`;
}

/**
 * A session reads the files when it is told to, between two statements: a few milliseconds after the server, or many on a busy node.
 * Clients wait for it, so it looks often; after 0.6 s somebody asks again.
 */
const untilLoaded = [0.002, 0.004, 0.008, 0.016, 0.03, 0.06, 0.12, 0.36]
  .map(
    (seconds) => `\\if :loaded
\\else
SELECT pg_sleep(${seconds}) AS slept \\gset
SELECT pg_conf_load_time() > :'loaded_before' AS loaded \\gset
\\endif`,
  )
  .join("\n");

/** What of a role can be put in force only by writing. The verifier is a variable by then. */
const lacks = (verifier: string | undefined, mayLogIn: boolean): string =>
  [
    "false",
    ...(verifier === undefined ? [] : ["rolpassword IS DISTINCT FROM :'verifier'"]),
    ...(mayLogIn ? ["NOT rolcanlogin"] : []),
  ].join(" OR ");

/** The manifest may name another role than the one that others were locked for. */
const admitRole = `SELECT format('ALTER ROLE %I LOGIN', rolname) FROM pg_roles WHERE rolname = :'role' AND NOT rolcanlogin AND NOT pg_is_in_recovery() \\gexec`;

/**
 * The operator's own role stays, for the local socket, which asks for no password. Where the role is not there, nobody is locked:
 * the manifest has to be corrected first.
 */
const lockOthers = `
SELECT format(CASE rolname WHEN current_user THEN 'ALTER ROLE %I PASSWORD NULL' ELSE 'ALTER ROLE %I NOLOGIN' END, rolname) FROM pg_authid
  WHERE rolcanlogin AND rolname <> :'role' AND (rolname <> current_user OR rolpassword IS NOT NULL)
    AND EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') ORDER BY oid \\gexec`;

const listDatabases = `SELECT 'in: ' || replace(replace(replace(datname, E'\\\\', E'\\\\\\\\'), E'\\t', E'\\\\t'), E'\\n', E'\\\\n')
  FROM pg_database WHERE datallowconn AND datconnlimit <> -2 ORDER BY oid;`;

/**
 * The clients that prepared them cannot end them here. The file was written before the copy's first start, at any moment of the
 * second that PostgreSQL gives as its time.
 */
const preparedBefore = `SELECT coalesce(json_agg(json_build_object('gid', gid, 'owner', owner, 'database', database,
    'since', to_char(prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))), '[]')
  FROM (SELECT * FROM pg_prepared_xacts WHERE prepared < least(
    (pg_stat_file('vdb-content-id')).modification + interval '1 second', pg_postmaster_start_time()) ORDER BY prepared, gid LIMIT 20) AS came`;

/** Whether a row of pg_settings is of the settings that the manifest has changed since the start. */
const declared = "lower(name) = ANY (string_to_array(lower(:'changed'), ','))";

/** Whether another session would be one too many, for the role, the database or the server. A limit of 0 is never met. */
const full = `(
  SELECT coalesce(bool_or(rolconnlimit > 0 AND (SELECT count(*) FROM pg_stat_activity WHERE usename = rolname) >= rolconnlimit), false)
    FROM pg_roles WHERE rolname = :'role') OR (
  SELECT coalesce(bool_or(datconnlimit > 0 AND (SELECT count(*) FROM pg_stat_activity a WHERE a.datname = d.datname) >= datconnlimit), false)
    FROM pg_database d WHERE datname = :'database') OR (
  SELECT count(*) >= current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true), '0')::int FROM pg_stat_activity WHERE backend_type = 'client backend')`;

/** What the role's sessions in the database begin with; of the files only what can end one. */
const sessionSettings = `(SELECT coalesce(json_agg(json_build_object('scope', scope, 'name', name, 'value', value)), '[]') FROM (
  SELECT CASE WHEN r.oid IS NULL AND d.oid IS NULL THEN 'ALTER ROLE ALL'
      WHEN d.oid IS NULL THEN format('ALTER ROLE %I', rolname) WHEN r.oid IS NULL THEN format('ALTER DATABASE %I', datname)
      ELSE format('ALTER ROLE %I IN DATABASE %I', rolname, datname) END AS scope,
    split_part(entry, '=', 1) AS name, substr(entry, strpos(entry, '=') + 1) AS value
  FROM pg_db_role_setting CROSS JOIN unnest(setconfig) AS entry
    LEFT JOIN pg_roles r ON r.oid = setrole LEFT JOIN pg_database d ON d.oid = setdatabase
  WHERE (setrole = 0 OR rolname = :'role') AND (setdatabase = 0 OR datname = :'database')
  UNION ALL
  SELECT '', name, setting FROM pg_file_settings WHERE applied AND name IN ('session_preload_libraries', 'local_preload_libraries')
) AS found WHERE value <> '')`;

/** A verifier must not get into the server's log, whatever the source has it write there. Not every version has each setting. */
const silence = `SELECT count(set_config(name, silent, false)) AS silenced FROM pg_settings JOIN (VALUES
  ('log_statement', 'none'), ('log_min_duration_statement', '-1'), ('log_min_duration_sample', '-1'),
  ('log_transaction_sample_rate', '0'), ('log_min_error_statement', 'panic'), ('auto_explain.log_min_duration', '-1'),
  ('pg_stat_statements.track', 'none')) AS quiet (name, silent) USING (name) \\gset`;

function passwordStatements(verifier: string): string {
  if (!/^SCRAM-SHA-256\$[A-Za-z0-9+/=:$]+$/u.test(verifier)) throw new TypeError("not a SCRAM verifier"); // it goes into psql's text
  return `\\set verifier '${verifier}'
SELECT format('ALTER ROLE %I PASSWORD %L', rolname, :'verifier')
  FROM pg_authid WHERE rolname = :'role' AND rolpassword IS DISTINCT FROM :'verifier' AND NOT pg_is_in_recovery() \\gexec`;
}
