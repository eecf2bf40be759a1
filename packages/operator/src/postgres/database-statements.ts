/** The hosts that a connection string in a text names, as a JSON list. Nothing else of it is taken: it may hold a password. */
const hostsIn = (text: string): string => String.raw`(SELECT coalesce(json_agg(DISTINCT host), '[]') FROM (
  SELECT (regexp_matches(${text}, '(?:^|[\s"'';|])host(?:addr)?\s*=\s*''*([A-Za-z0-9_.:/,-]+)', 'gi'))[1] AS host UNION
  SELECT (regexp_matches(${text}, 'postgres(?:ql)?://(?:[^/\s'']*@)?([A-Za-z0-9_.,-]+|\[[0-9A-Fa-f:]+\])(?=[:/?,\s'']|$)', 'gi'))[1]) AS spelt)`;

/** The same of one option of a foreign server, which may be a URL. */
const hostOfOption = String.raw`CASE WHEN option_value ~ '^[0-9A-Fa-f:.,]+$' OR option_value ~ '^/[^@]*$' THEN option_value
  ELSE substring(option_value FROM '^(?:[A-Za-z0-9+:.-]*//)?(?:[^@/]*@)?([A-Za-z0-9_.,-]*)') END`;

const ofNoExtension = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend WHERE classid = '${catalog}'::regclass AND objid = ${oid} AND deptype = 'e')`;

const ownSubscriptions = "pg_subscription JOIN pg_database AS d ON d.oid = subdbid WHERE datname = current_database()";

/** Functions and views that call dblink; what PostgreSQL keeps parsed has no text, but depends on the extension's functions. */
const callsOfDblink = String.raw`
  SELECT p.oid::regprocedure::text AS name, prosrc AS body FROM pg_proc AS p
    WHERE prosrc ~* '\mdblink' AND ${ofNoExtension("pg_proc", "p.oid")}
  UNION
  SELECT CASE classid WHEN 'pg_proc'::regclass THEN objid::regprocedure::text ELSE ev_class::regclass::text END,
    CASE classid WHEN 'pg_proc'::regclass THEN pg_get_functiondef(objid) ELSE pg_get_viewdef(ev_class) END
  FROM pg_depend AS used LEFT JOIN pg_rewrite AS r ON classid = 'pg_rewrite'::regclass AND r.oid = objid
  WHERE refclassid = 'pg_proc'::regclass AND (classid = 'pg_proc'::regclass OR r.oid IS NOT NULL) AND refobjid IN (
    SELECT objid FROM pg_depend JOIN pg_extension AS e ON e.oid = refobjid
    WHERE classid = 'pg_proc'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e' AND extname = 'dblink')`;

const disableEventTriggers = String.raw`
SELECT format('ALTER EVENT TRIGGER %I DISABLE', evtname) FROM pg_event_trigger AS t
  WHERE evtenabled <> 'D' AND ${ofNoExtension("pg_event_trigger", "t.oid")} \gexec`;

/** The table's trigger tells the running pg_cron, and fails where that is not preloaded. */
const disableJobs = String.raw`
\if :jobs_have_switch
\if :jobs_run
\else
SET session_replication_role = replica;
\endif
UPDATE cron.job SET active = false WHERE active;
SET session_replication_role = origin;
\endif`;

/**
 * No statement connects to a publisher. DROP SUBSCRIPTION would, even without a slot, while tables are still copied: it wants to
 * drop the slots of that copying at the publisher. So the subscription gets an address first where nobody is. Event triggers that
 * stay do not fire.
 */
const disableSubscriptions = (drop: boolean): string => String.raw`
SET session_replication_role = replica;
SELECT format('ALTER SUBSCRIPTION %I DISABLE', subname) FROM ${ownSubscriptions} AND subenabled \gexec
SELECT format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', subname) FROM ${ownSubscriptions} AND subslotname IS NOT NULL \gexec
${drop ? dropSubscriptions : ""}
SET session_replication_role = origin;`;

const dropSubscriptions = String.raw`
SELECT format('ALTER SUBSCRIPTION %I CONNECTION %L', subname, 'host=/dev/null/nowhere dbname=none user=none password=none')
  FROM ${ownSubscriptions} \gexec
SELECT format('DROP SUBSCRIPTION %I', subname) FROM ${ownSubscriptions} \gexec`;

/** What of a copy is switched off. */
export interface Cleaning {
  readonly eventTriggers: boolean;
  readonly cronJobs: boolean;
  readonly dropSubscriptions: boolean;
}

/**
 * Run in each database of a copy, by the superuser that has prepared the server. Switches off what would act by itself (without
 * `cleaning`: nothing); a second run changes nothing. Prints one JSON object of what there is to tell, and nothing where there is
 * nothing.
 */
export const databaseStatements = (cleaning: Cleaning | undefined): string => String.raw`
SET quote_all_identifiers = off;
SELECT current_setting('server_version_num')::int >= 150000 AS knows_versions,
  current_setting('shared_preload_libraries') ~ 'pg_cron' AS jobs_run,
  EXISTS (SELECT FROM pg_depend JOIN pg_extension AS e ON e.oid = refobjid WHERE extname = 'pg_cron'
    AND refclassid = 'pg_extension'::regclass AND classid = 'pg_class'::regclass AND objid = to_regclass('cron.job')) AS has_jobs,
  EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('cron.job') AND attname = 'active') AS jobs_have_switch \gset
${cleaning?.eventTriggers === true ? disableEventTriggers : ""}
\set jobs_told []
\if :has_jobs
${cleaning?.cronJobs === true ? disableJobs : ""}
SELECT coalesce(json_agg(json_build_object('name', coalesce(nullif(to_jsonb(job)->>'jobname', ''), 'job ' || jobid),
    'acts', coalesce((to_jsonb(job)->>'active')::bool, true)) ORDER BY jobid), '[]') AS jobs_told
  FROM (SELECT * FROM cron.job ORDER BY jobid LIMIT 100) AS job \gset
\endif
${cleaning === undefined ? "" : disableSubscriptions(cleaning.dropSubscriptions)}
\set versions_told []
\if :knows_versions
SELECT coalesce(json_agg(json_build_object('was', datcollversion, 'is', pg_database_collation_actual_version(oid))), '[]')
    AS versions_told
  FROM pg_database WHERE datname = current_database() AND datcollversion <> pg_database_collation_actual_version(oid) \gset
\endif
SELECT json_build_object('database', current_database(), 'jobsRun', :'jobs_run'::bool, 'jobs', :'jobs_told'::json,
  'subscriptions', subscriptions, 'eventTriggers', triggers, 'servers', servers, 'dblink', dblink,
  'databaseCollation', :'versions_told'::json, 'collations', collations)
FROM (SELECT
  (SELECT coalesce(json_agg(json_build_object('name', subname, 'acts', subenabled, 'hosts', ${hostsIn("subconninfo")})), '[]')
    FROM (SELECT * FROM ${ownSubscriptions} ORDER BY subname LIMIT 100) AS s) AS subscriptions,
  (SELECT coalesce(json_agg(json_build_object('name', evtname, 'acts', evtenabled <> 'D')), '[]')
    FROM (SELECT * FROM pg_event_trigger AS t WHERE ${ofNoExtension("pg_event_trigger", "t.oid")} ORDER BY evtname LIMIT 100) AS e
  ) AS triggers,
  (SELECT coalesce(json_agg(json_build_object('name', srvname, 'wrapper', fdwname, 'hosts', hosts, 'mappings', mappings)), '[]')
    FROM (SELECT * FROM (SELECT srvname, fdwname,
        (SELECT json_agg(${hostOfOption}) FROM pg_options_to_table(srvoptions) WHERE lower(option_name) IN
          ('host', 'hostaddr', 'servername', 'server', 'address', 'addresses', 'dbserver', 'url', 'service')) AS hosts,
        (SELECT coalesce(json_agg(coalesce(rolname, 'PUBLIC')), '[]') FROM (SELECT rolname FROM pg_user_mapping
          LEFT JOIN pg_roles AS r ON r.oid = umuser WHERE umserver = s.oid ORDER BY rolname LIMIT 100) AS m) AS mappings
      FROM pg_foreign_server AS s JOIN pg_foreign_data_wrapper AS w ON w.oid = srvfdw ORDER BY srvname) AS s
      WHERE hosts IS NOT NULL LIMIT 100) AS f) AS servers,
  (SELECT coalesce(json_agg(json_build_object('name', name, 'hosts', ${hostsIn("body")})), '[]')
    FROM (${callsOfDblink} ORDER BY name LIMIT 100) AS c) AS dblink,
  (SELECT coalesce(json_agg(json_build_object('name', collname, 'was', collversion, 'is', actual)), '[]')
    FROM (SELECT collname, collversion, pg_collation_actual_version(c.oid) AS actual FROM pg_collation AS c
      WHERE collversion IS NOT NULL AND oid IN (SELECT unnest(indcollation::oid[]) FROM pg_index) ORDER BY collname OFFSET 0) AS c
    WHERE collversion <> actual) AS collations
) AS found
WHERE json_array_length(:'jobs_told'::json) + json_array_length(:'versions_told'::json) + json_array_length(subscriptions)
  + json_array_length(triggers) + json_array_length(servers) + json_array_length(dblink) + json_array_length(collations) > 0;
`;
