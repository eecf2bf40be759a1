/**
 * What of a source would act by itself in its copy, on a source that has it: a subscriber that replicates from a publisher over the
 * loopback, both PostgreSQL 16.2 as production runs it.
 */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { freePort } from "kube-runtime/testing";
import type { Cleaning } from "../src/postgres/database-statements.ts";
import { hbaFile } from "../src/postgres/hba.ts";
import { type PreparationResult, preparationCommand, preparationResult, type ServerState } from "../src/postgres/prepare.ts";
import { saltFor, scramVerifier } from "../src/postgres/scram.ts";
import { databasesNotes, switchedOff } from "../src/vdb/pod/databases-notes.ts";
import { hygieneOf } from "../src/vdb/pod/hygiene.ts";
import {
  asOwner,
  copyCluster,
  extensions,
  hasIcu,
  newCluster,
  type Pod,
  programs,
  scratch,
  startPod,
} from "./testing/postgres.ts";
import { until } from "./testing/until.ts";

const folder = scratch();
const password = "a-password-of-production";
const everything: Cleaning = { eventTriggers: true, cronJobs: true, dropSubscriptions: false };
/** A name that a shell, psql and a connection string would each read in a way of their own. */
const odd = 'a "b"=\\c\td\ne';
const quoted = `"${odd.replaceAll('"', '""')}"`;

interface Asked {
  readonly cleaning?: Cleaning | undefined;
  readonly lockOtherRoles?: boolean;
  readonly role?: string;
  readonly gate?: "open" | "shut";
  readonly verifier?: string;
}

function ask(pod: Pod, { cleaning, lockOtherRoles = false, role = "app", gate = "shut", verifier }: Asked): PreparationResult {
  const server = { hba: hbaFile("c", gate), settings: "", role, database: "orders", verifier };
  const { command, stdin } = preparationCommand({ ...server, lockOtherRoles, inside: { cleaning } });
  return preparationResult(pod.exec(command, stdin));
}

function stateOf(result: PreparationResult): ServerState {
  if (result.kind !== "answer") throw new Error(`${result.kind}: ${result.message}`);
  return result.state;
}

const messageOf = ({ inside: { told, unseen } }: ServerState): string =>
  hygieneOf([], switchedOff(told, undefined), databasesNotes(told, unseen)).message;

/** A server as production runs it: by no script of ours. */
interface Production {
  readonly port: number;
  readonly sql: (text: string, database?: string) => string;
  readonly log: () => string;
  readonly stop: () => void;
}

async function startProduction(mount: string, lines: readonly string[]): Promise<Production> {
  const port = await freePort();
  newCluster(mount);
  const data = join(mount, "data");
  appendFileSync(
    join(data, "postgresql.conf"),
    [`port = ${port}`, `unix_socket_directories = '${mount}'`, ...lines, ""].join("\n"),
  );
  asOwner("pg_ctl", ["-D", data, "-l", join(mount, "log"), "-w", "start"]);
  return {
    port,
    sql: (text, database = "postgres") =>
      asOwner(
        "psql",
        [
          "-h",
          mount,
          "-p",
          String(port),
          "-U",
          "postgres",
          "-d",
          `dbname='${database.replaceAll("\\", "\\\\")}'`,
          "-qXAt",
          "-v",
          "ON_ERROR_STOP=1",
        ],
        text,
      ).trim(),
    log: () => readFileSync(join(mount, "log"), "utf8"),
    stop: () => void asOwner("pg_ctl", ["-D", data, "-m", "immediate", "-w", "stop"]),
  };
}

const mount = (name: string): string => join(folder.path, name);

/**
 * An extension with pg_cron's name and table, and a trigger that fails as pg_cron's does where its library is not preloaded: there is
 * no package of it for this PostgreSQL. The folder is these tests' own.
 */
function packJobs(): void {
  const file = join(extensions, "pg_cron");
  writeFileSync(`${file}.control`, "default_version = '1.6'\nrelocatable = false\nschema = pg_catalog\n");
  writeFileSync(
    `${file}--1.6.sql`,
    `CREATE SCHEMA cron;
    CREATE TABLE cron.job (jobid bigint PRIMARY KEY, schedule text, command text, active boolean NOT NULL DEFAULT true, jobname name);
    SELECT pg_extension_config_dump('cron.job', '');
    CREATE FUNCTION cron.job_cache_invalidate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE 'pg_cron is not in shared_preload_libraries'; END $$;
    CREATE TRIGGER cron_job_cache_invalidate AFTER INSERT OR UPDATE OR DELETE ON cron.job
      FOR STATEMENT EXECUTE FUNCTION cron.job_cache_invalidate();`,
  );
}

/** Past what is set for the database. */
const inOrders = (pod: Pod, text: string): string => {
  const options =
    "-csession_preload_libraries= -crole=none -cstatement_timeout=0 -cdefault_transaction_read_only=off -csession_replication_role=replica";
  const { stdout, stderr, exitCode } = pod.exec([
    "/usr/bin/env",
    `PGOPTIONS=${options}`,
    "psql",
    "-h",
    pod.run,
    "-U",
    "postgres",
    "-d",
    "orders",
    "-qXAtc",
    text,
  ]);
  equal(exitCode, 0, stderr);
  return stdout.trim();
};

/** As the operator asks where other roles are to be locked. */
const given = (role: string) =>
  ({ lockOtherRoles: true, role, gate: "open", verifier: scramVerifier("mine", saltFor("x")) }) as const;

describe("a copy of a source that acts by itself", { timeout: 300_000 }, () => {
  const stack = new AsyncDisposableStack();
  let publisher: Production | undefined;
  const production = (): Production => {
    if (publisher === undefined) throw new Error("no publisher");
    return publisher;
  };
  const slots = (): string =>
    production().sql("SELECT slot_name, confirmed_flush_lsn, active FROM pg_replication_slots ORDER BY slot_name");
  /** Connections by TCP: what looks at the publisher here comes by its socket. */
  const calls = (): number => production().log().split("connection received: host=127").length - 1;

  async function copy(name: string): Promise<Pod> {
    copyCluster(mount("source"), mount(name));
    const pod = await startPod(mount(name), { contentId: "c", hba: hbaFile("c", "shut") });
    stack.defer(async () => await pod.stop());
    await pod.answers();
    return pod;
  }

  before(async () => {
    publisher = await startProduction(mount("publisher"), ["wal_level = logical", "log_connections = on", "fsync = off"]);
    stack.defer(() => production().stop());
    publisher.sql(`CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1);
      CREATE PUBLICATION p FOR TABLE t; CREATE PUBLICATION q FOR TABLE u`);
    const source = await startProduction(mount("source"), [
      "wal_level = logical",
      "wal_retrieve_retry_interval = 500ms",
      "fsync = off",
    ]);
    const publisherAt = `host=127.0.0.1 port=${publisher.port} dbname=postgres user=postgres password=${password}`;
    source.sql(
      `CREATE ROLE app LOGIN; CREATE ROLE reports LOGIN PASSWORD 'r'; CREATE ROLE readers; ALTER ROLE postgres PASSWORD 'p'`,
    );
    for (const name of ["orders", "closed", quoted, "broken"]) source.sql(`CREATE DATABASE ${name}`);
    if (hasIcu) source.sql("CREATE DATABASE german LOCALE_PROVIDER icu ICU_LOCALE 'de' TEMPLATE template0");
    packJobs();
    source.sql(`CREATE EXTENSION pg_cron; SET session_replication_role = replica; INSERT INTO cron.job VALUES
      (1, '0 3 * * *', 'SELECT mail()', true, 'nightly'), (2, '* * * * *', 'SELECT 1', true, NULL), (3, '* * * * *', 'SELECT 2', false, 'paused')`);
    const orders = (text: string): string => source.sql(text, "orders");
    orders(
      `CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1); CREATE PUBLICATION own FOR TABLE t`,
    );
    orders(`CREATE SUBSCRIPTION "Running" CONNECTION '${publisherAt}' PUBLICATION p WITH (slot_name = 'running')`);
    orders(`CREATE SUBSCRIPTION copying CONNECTION '${publisherAt}' PUBLICATION q`);
    publisher.sql("INSERT INTO t VALUES (7)");
    await until("the subscriber replicates", () => orders("SELECT id FROM t") === "7", 60);
    // It cannot be copied: the row is there already. So the slot of its copying stays at the publisher.
    await until("a table is being copied", () => /pg_\d+_sync_/u.test(slots()), 60);
    orders(`CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no % in production', tg_tag; END $$;
      CREATE EXTENSION dblink; CREATE EXTENSION postgres_fdw;
      CREATE EVENT TRIGGER of_an_extension ON sql_drop EXECUTE FUNCTION forbid(); ALTER EXTENSION dblink ADD EVENT TRIGGER of_an_extension;
      CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'db.production.example', dbname 'erp');
      CREATE USER MAPPING FOR app SERVER far OPTIONS (user 'erp', password '${password}');
      CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'erp', password '${password}');
      CREATE SERVER near FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'localhost');
      CREATE SERVER remote FOREIGN DATA WRAPPER dblink_fdw OPTIONS (hostaddr '2001:db8::7');
      CREATE FUNCTION pull() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM dblink_exec('postgresql://erp:${password}@erp.example:5432/erp', 'SELECT 1'); END $$;
      CREATE FUNCTION parsed() RETURNS SETOF text BEGIN ATOMIC SELECT x FROM dblink('host=parsed.example password=${password}', 'SELECT 1') AS y (x text); END;
      CREATE FUNCTION hidden(c text) RETURNS text LANGUAGE sql AS $$ SELECT dblink_connect(c) $$;
      CREATE VIEW seen AS SELECT * FROM dblink('password=${password} host=10.1.2.3', 'SELECT 1') AS x (i int)`);
    if (hasIcu)
      orders(
        `CREATE TABLE names (name text COLLATE "de-x-icu" PRIMARY KEY); UPDATE pg_collation SET collversion = '52.1' WHERE collname = 'de-x-icu'`,
      );
    orders(
      `CREATE EVENT TRIGGER "No DDL" ON ddl_command_start EXECUTE FUNCTION forbid(); ALTER EVENT TRIGGER "No DDL" ENABLE ALWAYS`,
    );
    source.sql(
      `CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$; CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION note();
      CREATE SCHEMA cron; CREATE TABLE cron.job (jobid bigint, active bool); INSERT INTO cron.job VALUES (1, true)`,
      odd,
    );
    if (hasIcu) source.sql("UPDATE pg_database SET datcollversion = '52.1' WHERE datname = 'german'");
    source.sql(`ALTER DATABASE closed ALLOW_CONNECTIONS false;
      UPDATE pg_database SET datcollate = 'xx_YY' WHERE datname = 'broken'`);
    const settings = {
      role: "readers",
      client_encoding: "LATIN1",
      search_path: "public",
      default_transaction_read_only: "on",
      default_transaction_isolation: "serializable",
      statement_timeout: "1",
      session_preload_libraries: "absent",
      session_replication_role: "origin",
      standard_conforming_strings: "off",
      quote_all_identifiers: "on",
    };
    for (const [name, value] of Object.entries(settings))
      source.sql(`ALTER DATABASE orders SET ${name} = '${value}'; ALTER DATABASE ${quoted} SET ${name} = '${value}'`);
    source.stop();
    await until("its connections have ended", () => !/\|t$/mu.test(slots()), 60);
  });
  after(async () => {
    await stack.disposeAsync();
    folder[Symbol.dispose]();
  });

  test("everything is switched off in every database, whatever is set there; the publisher hears nothing", async () => {
    const untouched = [slots(), calls()];
    const pod = await copy("clean");
    const subscriptions = (): string =>
      pod.sql("SELECT subname, subenabled, subslotname IS NULL FROM pg_subscription ORDER BY 1");
    const triggers = (): string => inOrders(pod, "SELECT evtname, evtenabled FROM pg_event_trigger ORDER BY 1");
    const activeJobs = (): string => pod.sql("SELECT count(*) FROM cron.job WHERE active");
    equal(subscriptions(), "Running|t|f\ncopying|t|f", "as they came: else this proves nothing");
    equal(activeJobs(), "2", "the same");
    const state = stateOf(ask(pod, { cleaning: everything }));
    equal(subscriptions(), "Running|f|t\ncopying|f|t");
    equal(activeJobs(), "0", "though the table's trigger forbids a change without the library");
    equal(triggers(), "No DDL|D\nof_an_extension|O", "an extension needs its own");
    equal(inOrders(pod, "SELECT pubname FROM pg_publication"), "own");
    equal(inOrders(pod, "SELECT has_column FROM (SELECT count(*) AS has_column FROM pg_publication_tables) AS x"), "1");
    const message = messageOf(state);
    match(message, /subscriptions: Running \(publisher 127\.0\.0\.1\) in database orders, copying/u);
    match(message, /event triggers: No DDL in database orders, noted in database a "b"=\\c d e(?:;|$)/u);
    // A table of that name in another database is not pg_cron's.
    match(
      message,
      /jobs of pg_cron: nightly in database postgres, job 2 in database postgres, paused in database postgres(?:;|$)/u,
    );
    const xmins = "SELECT string_agg(xmin::text, ' ' ORDER BY oid) FROM";
    const rows = (): string => inOrders(pod, `SELECT (${xmins} pg_subscription), (${xmins} pg_event_trigger)`);
    const written = rows();
    deepEqual(stateOf(ask(pod, { cleaning: everything })).inside, state.inside, "a repetition tells the same");
    equal(rows(), written, "and writes nothing");
    deepEqual([slots(), calls()], untouched);
  });

  test("what leads outside, and what a person has to look at, is told without a password", async () => {
    const pod = await copy("told");
    const state = stateOf(ask(pod, {}));
    equal(
      pod.sql("SELECT count(*) FROM pg_subscription WHERE subenabled AND subslotname IS NOT NULL"),
      "2",
      "a look changes nothing",
    );
    equal(pod.sql("SELECT count(*) FROM cron.job WHERE active"), "2", "the same, as where the manifest keeps them");
    equal(JSON.stringify(state).includes(password), false, "nothing of a connection leaves the pod but its host");
    const message = messageOf(state);
    for (const part of [
      "far (host db.production.example) mapped for app, PUBLIC in database orders, remote (host 2001:db8::7) in database orders",
      "hidden(text) (it spells out no host) in database orders",
      "parsed() (host parsed.example)",
      "pull() (host erp.example)",
      "seen (host 10.1.2.3)",
      ...(hasIcu ? ["database german (its own 52.1, here ", "database orders (de-x-icu 52.1, here ", "REINDEX DATABASE"] : []),
      "broken (database locale is incompatible with operating system)",
    ])
      equal(message.includes(part), true, `${part} in ${message}`);
    equal(/near|closed/u.test(message), false, message);
  });

  test("dropped, also one whose tables are being copied: the publisher hears nothing, and keeps that slot", async () => {
    const untouched = [slots(), calls()];
    const pod = await copy("dropped");
    const state = stateOf(ask(pod, { cleaning: { ...everything, dropSubscriptions: true } }));
    deepEqual(
      [pod.sql("SELECT count(*) FROM pg_subscription"), pod.sql("SELECT count(*) FROM pg_replication_origin")],
      ["0", "0"],
    );
    equal(messageOf(state).includes("subscriptions"), false);
    deepEqual([slots(), calls()], untouched);
  });

  test("other roles are locked, the operator's keeps the local socket alone, and another role of the manifest gets in", async () => {
    const pod = await copy("locked");
    const login = (user: string, key: string): string => {
      try {
        const way = ["-h", "127.0.0.1", "-p", String(pod.port), "-U", user, "-d", "postgres", "-XAtqc", "SELECT current_user"];
        return execFileSync(join(programs, "psql"), way, { env: { PGPASSWORD: key }, encoding: "utf8", stdio: "pipe" }).trim();
      } catch (error) {
        return String(error);
      }
    };
    const mayLogIn = (): string => pod.sql("SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolcanlogin");
    equal(stateOf(ask(pod, { ...given("absent"), cleaning: everything })).roleExists, false);
    equal(mayLogIn(), "app postgres reports", "nobody is locked for a role that is not there");
    deepEqual(
      [login("reports", "r"), login("postgres", "p")],
      ["reports", "postgres"],
      "so they get in: else this proves nothing",
    );
    stateOf(ask(pod, { ...given("app"), cleaning: everything }));
    equal(mayLogIn(), "app postgres");
    equal(login("app", "mine"), "app");
    match(login("reports", "r"), /not permitted to log in/u);
    match(login("postgres", "p"), /password authentication failed/u);
    pod.sql("CREATE ROLE made_here LOGIN");
    equal(stateOf(ask(pod, given("reports"))).roleCanLogin, true);
    equal(mayLogIn(), "app made_here postgres reports", "only new data locks");
  });

  test("without the care that is taken, PostgreSQL would drop the publisher's slot of that copying", async () => {
    const pod = await copy("careless");
    inOrders(pod, `ALTER EVENT TRIGGER "No DDL" DISABLE`);
    for (const text of ["DISABLE", "SET (slot_name = NONE)"]) inOrders(pod, `ALTER SUBSCRIPTION copying ${text}`);
    const had = slots();
    inOrders(pod, "DROP SUBSCRIPTION copying");
    notEqual(slots(), had);
  });
});
