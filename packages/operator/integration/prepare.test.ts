/** What the operator does inside the pod by exec, on a real PostgreSQL 16.2. */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { hbaFile } from "../src/postgres/hba.ts";
import { type Preparation, type PreparationResult, preparationCommand, preparationResult } from "../src/postgres/prepare.ts";
import { saltFor, scramVerifier } from "../src/postgres/scram.ts";
import { newCluster, type Pod, programs, scratch, serverVersion, startPod } from "./testing/postgres.ts";

const folder = scratch();
let pod: Pod | undefined;
const server = (): Pod => {
  if (pod === undefined) throw new Error("the server did not start");
  return pod;
};
const shut = hbaFile("c", "shut");
const open = hbaFile("c", "open");

function prepare(preparation: Partial<Preparation> = {}, wrapper: readonly string[] = []): PreparationResult {
  const { command, stdin } = preparationCommand({
    hba: shut,
    settings: "",
    role: "app",
    database: "orders",
    verifier: undefined,
    ...preparation,
  });
  return preparationResult(server().exec([...wrapper, ...command], stdin));
}

function stateOf(result: PreparationResult) {
  if (result.kind !== "answer") throw new Error(`${result.kind}: ${result.message}`);
  return result.state;
}

function login(password: string): string {
  try {
    return execFileSync(
      join(programs, "psql"),
      ["-h", "127.0.0.1", "-p", String(server().port), "-U", "app", "-d", "postgres", "-XAtqc", "SELECT current_user"],
      { env: { PGPASSWORD: password }, encoding: "utf8", stdio: "pipe" },
    ).trim();
  } catch (error) {
    return String(error);
  }
}

const verifier = (password: string): string => scramVerifier(password, saltFor("a vdb"));
const show = (name: string): string => server().sql(`SHOW ${name}`, "not_postgres");
/** Changes with every write of the role. */
const storedRow = (): string => server().sql("SELECT xmin, ctid FROM pg_authid WHERE rolname = 'app'", "not_postgres");

/** Whether the role may log in, its password has expired, it may connect to the database. */
function found(): readonly boolean[] {
  const { roleCanLogin, roleExpired, mayConnect } = stateOf(prepare());
  return [roleCanLogin, roleExpired, mayConnect];
}

/** The log is read beside the test: waits until it tells of a statement that is sent now. */
const heard = async (mark: string): Promise<void> => {
  server().sql(`SELECT '${mark}'`, "not_postgres");
  for (let tries = 0; tries < 600 && !server().printed().includes(mark); tries += 1) await setTimeout(50);
};

describe("preparing a server from inside its pod", { timeout: 120_000 }, () => {
  before(async () => {
    newCluster(folder.path, "not_postgres"); // the first superuser of a source may have any name
    appendFileSync(join(folder.path, "data/postgresql.conf"), "port = 7777\n");
    pod = await startPod(folder.path, { contentId: "c", hba: shut });
    for (let tries = 0; tries < 100; tries += 1) {
      try {
        pod.sql("CREATE ROLE app LOGIN; CREATE DATABASE orders;", "not_postgres");
        break;
      } catch {
        await setTimeout(100);
      }
    }
  });
  after(async () => {
    await pod?.stop();
    folder[Symbol.dispose]();
  });

  test("finds the first superuser whatever its name, and says what there is", () => {
    deepEqual(stateOf(prepare()), {
      roleExists: true,
      roleCanLogin: true,
      roles: ["app", "not_postgres"],
      databases: ["orders", "postgres"],
      roleExpired: false,
      mayConnect: true,
      pendingRestart: [],
      pendingElsewhere: [],
      loaded: true,
      dropped: ["port"],
      preparedTransactions: [],
      setAside: "",
      isStandby: false,
      needsWriting: false,
      version: serverVersion,
      inside: { told: [], unseen: [] },
      superuser: "not_postgres",
      superuserDatabase: "postgres",
      databaseExists: true,
      loginFailure: "",
      full: false,
      sessionSettings: [],
    });
  });

  test("sets the password once, and opens the gate to it", () => {
    prepare({ verifier: verifier("first-password") });
    match(login("first-password"), /no pg_hba.conf entry/u, "the gate is still shut");
    equal(stateOf(prepare({ verifier: verifier("first-password"), hba: open })).loaded, true);
    equal(login("first-password"), "app");
    const written = storedRow();
    prepare({ verifier: verifier("first-password"), hba: open });
    equal(storedRow(), written, "the same password is not written again");
    prepare({ verifier: verifier("second-password"), hba: open });
    notEqual(storedRow(), written);
    equal(login("second-password"), "app");
    match(login("first-password"), /password authentication failed/u);
  });

  test("brings settings into force, tells which need a restart, and forgets it when they are taken back", () => {
    deepEqual(stateOf(prepare({ settings: "work_mem = '9MB'\nmax_connections = '77'\n" })).pendingRestart, ["max_connections"]);
    equal(show("work_mem"), "9MB");
    deepEqual(stateOf(prepare({ settings: "work_mem = '9MB'\n" })).pendingRestart, []);
  });

  test("what a restart waits for is the manifest's only where the manifest has changed it since the start", () => {
    server().sql("ALTER SYSTEM SET max_connections = 88", "not_postgres");
    try {
      server().sql("SELECT pg_reload_conf()", "not_postgres");
      const { pendingRestart, pendingElsewhere } = stateOf(prepare({ settings: "work_mem = '9MB'\n" }));
      deepEqual([pendingRestart, pendingElsewhere], [[], ["max_connections"]]);
      const both = stateOf(prepare({ settings: "work_mem = '9MB'\nmax_wal_senders = '3'\n" }));
      deepEqual([both.pendingRestart, both.pendingElsewhere], [["max_wal_senders"], ["max_connections"]]);
    } finally {
      server().sql("ALTER SYSTEM RESET max_connections", "not_postgres");
      equal(stateOf(prepare()).pendingElsewhere.includes("max_connections"), false);
    }
  });

  test("after a run that could not reach the server, the next one has it read the files that lie there already", () => {
    equal(stateOf(prepare({ settings: "work_mem = '4MB'\n" })).loaded, true);
    const wanted = { settings: "work_mem = '6MB'\n", hba: open, verifier: verifier("a-password-of-its-own") };
    const astray = prepare(wanted, ["/usr/bin/env", "PGPORT=1"]);
    equal(astray.kind, "unreachable");
    equal("message" in astray && astray.message.split("\n").filter((line) => /No such file/u.test(line)).length, 1, "said once");
    equal(show("work_mem"), "4MB", "nothing was read: else this proves nothing");
    equal(stateOf(prepare(wanted)).loaded, true);
    equal(show("work_mem"), "6MB");
    equal(login("a-password-of-its-own"), "app");
  });

  test("statements that did not arrive whole are refused before anything is changed", () => {
    prepare({ settings: "work_mem = '4MB'\n" });
    const settings = "work_mem = '8MB'\n";
    const wanted = { hba: open, settings, role: "app", database: "orders", verifier: verifier("cut off") };
    const { command, stdin } = preparationCommand(wanted);
    for (const text of ["", stdin.slice(0, stdin.length / 2)]) {
      const result = preparationResult(server().exec(command, text));
      deepEqual([result.kind, "message" in result && /arrived incomplete/u.test(result.message)], ["sqlFailed", true]);
    }
    equal(readFileSync(join(server().run, "settings.conf"), "utf8"), "work_mem = '4MB'\n");
    equal(stateOf(prepare({ settings: "work_mem = '4MB'\n" })).loaded, true);
  });

  test("a role whose password has expired, or that may not connect to the database, is told", () => {
    deepEqual(found(), [true, false, true]);
    server().sql("ALTER ROLE app VALID UNTIL '2020-01-01'", "not_postgres");
    deepEqual(found(), [true, true, true]);
    server().sql("ALTER ROLE app VALID UNTIL 'infinity'; REVOKE CONNECT ON DATABASE orders FROM public", "not_postgres");
    deepEqual(found(), [true, false, false]);
    server().sql("GRANT CONNECT ON DATABASE orders TO app", "not_postgres");
    deepEqual(found(), [true, false, true]);
  });

  test("what the source has written to the log, or forbids to write, neither tells a verifier nor keeps it out", async () => {
    const logged = "log_statement = 'all'\nlog_min_duration_statement = '0'\ndefault_transaction_read_only = 'on'\n";
    prepare({ settings: logged });
    await heard("the log so far");
    const from = server().printed().length;
    equal(stateOf(prepare({ settings: logged, hba: open, verifier: verifier("kept-out-of-the-log") })).loaded, true);
    equal(login("kept-out-of-the-log"), "app");
    await heard("the log of this test");
    const said = server().printed().slice(from);
    match(said, /SELECT current_user/u, "the log is on: else this proves nothing");
    equal(said.includes("SCRAM-SHA-256$"), false, said);
    prepare();
  });

  test("a setting that the server refuses is named, and the former ones stay in force", () => {
    prepare({ settings: "work_mem = '7MB'\n" });
    for (const [settings, name] of [
      ["work_mem = 'lots'\n", /"work_mem"/u],
      ["no_such_setting = '1'\n", /"no_such_setting"/u],
    ] as const) {
      const result = prepare({ settings });
      equal(result.kind, "settingRefused");
      match("message" in result ? result.message : "", name);
    }
    equal(server().sql("SHOW work_mem", "not_postgres"), "7MB");
  });

  test("a role that is not there is told, with those that are", () => {
    const state = stateOf(prepare({ role: "absent" }));
    equal(state.roleExists, false);
    deepEqual(state.roles, ["app", "not_postgres"]);
  });

  test("a function that somebody put in the way is not called", () => {
    server().sql(
      "CREATE FUNCTION public.split_part(text, text, int) RETURNS text LANGUAGE sql AS $$ SELECT 'hijacked' $$",
      "not_postgres",
    );
    server().sql("ALTER ROLE not_postgres SET search_path = public, pg_catalog", "not_postgres");
    equal(stateOf(prepare()).version, serverVersion);
  });
});
