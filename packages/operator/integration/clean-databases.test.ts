/** What of a source would act by itself in its copy, on sources that have it; PostgreSQL 16.2, publisher and subscriber on the loopback. */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Cleaning } from "../src/postgres/database-statements.ts";
import { hbaFile } from "../src/postgres/hba.ts";
import { type PreparationResult, preparationCommand, preparationResult, type ServerState } from "../src/postgres/prepare.ts";
import { databasesNotes, switchedOff } from "../src/vdb/pod/databases-notes.ts";
import { hygieneOf } from "../src/vdb/pod/hygiene.ts";
import { copyCluster, newCluster, type Pod, scratch, startPod } from "./testing/postgres.ts";
import { until } from "./testing/until.ts";

const folder = scratch();
const shut = hbaFile("c", "shut");
const password = "a-password-of-production";
const all: Cleaning = { eventTriggers: true, cronJobs: true, dropSubscriptions: false };
const odd = 'a "b"=\\c\td\ne';

interface Asked {
  readonly cleaning?: Cleaning | undefined;
  readonly lockOtherRoles?: boolean;
  readonly role?: string;
}

function ask(pod: Pod, { cleaning, lockOtherRoles = false, role = "app" }: Asked = {}): PreparationResult {
  const wanted = { hba: shut, settings: "", role, database: "orders", verifier: undefined, lockOtherRoles, inside: { cleaning } };
  const { command, stdin } = preparationCommand(wanted);
  return preparationResult(pod.exec(command, stdin));
}

function stateOf(result: PreparationResult): ServerState {
  if (result.kind !== "answer") throw new Error(`${result.kind}: ${result.message}`);
  return result.state;
}

/** The condition's message. */
function said({ dropped, inside: { told, unseen } }: ServerState): string {
  return hygieneOf(dropped, switchedOff(told, undefined), databasesNotes(told, unseen)).message;
}

async function started(mount: string): Promise<Pod> {
  const pod = await startPod(mount, { contentId: "c", hba: shut });
  await pod.answers();
  return pod;
}

/** A server as production's are: started by no script of ours, reached by TCP. */
async function inProduction(mount: string, lines: readonly string[]): Promise<Pod> {
  newCluster(mount);
  appendFileSync(join(mount, "data/postgresql.conf"), "");
  const pod = await startPod(mount, { contentId: "source", hba: hbaFile("source", "open"), settings: lines.join("\n") });
  await pod.answers();
  return pod;
}

describe("a copy of a source that acts by itself", { timeout: 300_000 }, () => {
  const pods: Pod[] = [];
  const mount = (name: string): string => join(folder.path, name);
  let publisher: Pod | undefined;
  const production = (): Pod => {
    if (publisher === undefined) throw new Error("no publisher");
    return publisher;
  };
  const slots = (): string =>
    production().sql("SELECT slot_name, confirmed_flush_lsn, active FROM pg_replication_slots ORDER BY slot_name");
  const connections = (): number => production().printed().split("connection received").length;

  /** A running copy of the source; the source is at rest. */
  async function copy(name: string): Promise<Pod> {
    copyCluster(mount("source"), mount(name));
    const pod = await started(mount(name));
    pods.push(pod);
    return pod;
  }

  before(async () => {
    publisher = await inProduction(mount("publisher"), ["wal_level = logical", "log_connections = on", ""]);
    pods.push(publisher);
    publisher.sql(`CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE TABLE u (id int PRIMARY KEY);
      CREATE PUBLICATION p FOR TABLE t; CREATE PUBLICATION q FOR TABLE u;
      CREATE ROLE subscriber LOGIN REPLICATION SUPERUSER PASSWORD '${password}'`);
    const source = await inProduction(mount("source"), ["max_worker_processes = 12", ""]);
    const to = `host=127.0.0.1 port=${publisher.port} dbname=postgres user=subscriber password=${password}`;
    source.sql(`CREATE ROLE app LOGIN PASSWORD 'x'; CREATE ROLE reports LOGIN PASSWORD 'y'; CREATE ROLE readers;
      ALTER ROLE postgres PASSWORD 'z'; CREATE DATABASE orders; CREATE DATABASE closed; CREATE DATABASE "${odd.replaceAll('"', '""')}" ENCODING 'LATIN1' TEMPLATE template0`);
    source.sql("ALTER DATABASE closed ALLOW_CONNECTIONS false");
    const orders = (text: string): string => source.sql(text, "postgres", "orders");
    orders(`CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE log (tag text);
      CREATE SUBSCRIPTION s CONNECTION '${to}' PUBLICATION p WITH (slot_name = 'of production', create_slot = false, connect = false, enabled = false)`.replace("of production", "of_production"));
    orders(`CREATE SUBSCRIPTION copying CONNECTION '${to}' PUBLICATION q WITH (connect = false, slot_name = 'copying')`);
    publisher.sql(`SELECT pg_create_logical_replication_slot('of_production', 'pgoutput'), pg_create_logical_replication_slot('copying', 'pgoutput')`);
    // As it stands while the copy of a table is under way: its own slot is at the publisher.
    orders(`ALTER SUBSCRIPTION s ENABLE; ALTER SUBSCRIPTION copying ENABLE;
      INSERT INTO pg_subscription_rel SELECT s.oid, 'u'::regclass, 'd', NULL FROM pg_subscription s WHERE subname = 'copying'`);
    const slotOfTable = orders("SELECT 'pg_' || s.oid || '_sync_' || 'u'::regclass::oid || '_' || system_identifier FROM pg_subscription s, pg_control_system() WHERE subname = 'copying'");
    publisher.sql(`SELECT pg_create_logical_replication_slot('${slotOfTable}', 'pgoutput')`);
    orders(`CREATE PUBLICATION mine FOR TABLE t`);
    orders(`CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no % in production', tg_tag; END $$;
      CREATE EVENT TRIGGER "No DDL" ON ddl_command_start EXECUTE FUNCTION forbid(); ALTER EVENT TRIGGER "No DDL" ENABLE ALWAYS`);
    await source.stop();
  });
  after(async () => {
    for (const pod of pods) await pod.stop();
    folder[Symbol.dispose]();
  });

  test("subscriptions stay, disabled and without a slot, and nobody has connected to the publisher", async () => {
    const before = [slots(), connections()];
    const pod = await copy("disabled");
    const subscriptions = (): string => pod.sql("SELECT subname, subenabled, subslotname IS NULL FROM pg_subscription ORDER BY 1");
    equal(subscriptions(), "copying|t|f\ns|t|f", "as they came: else this proves nothing");
    const first = stateOf(ask(pod, { cleaning: all }));
    equal(subscriptions(), "copying|f|t\ns|f|t");
    match(said(first), /subscriptions: copying \(publisher 127|subscriptions: copying in database orders, s in database orders/u);
    equal(JSON.stringify(first).includes(password), false, "no word of the connection but its host");
    deepEqual([slots(), connections() - 1], [before[0], Number(before[1])], "each look at the slots is one connection");
  });
});
