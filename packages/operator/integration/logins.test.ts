/** Who gets into a server that somebody else has set up: the operator always, the manifest's role or a reason; on PostgreSQL 16.2. */
import { deepEqual, equal, match } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { hbaFile } from "../src/postgres/hba.ts";
import { type PreparationResult, preparationCommand, preparationResult } from "../src/postgres/prepare.ts";
import { saltFor, scramVerifier } from "../src/postgres/scram.ts";
import { lockedOut, loginTrouble } from "../src/vdb/pod/login-trouble.ts";
import { walBytesBetween, walPosition } from "../src/vdb/pod/wal-position.ts";
import type { PodExec } from "../src/vdb/world.ts";
import { newCluster, owner, type Pod, programs, scratch, startPod } from "./testing/postgres.ts";

const forever: AbortSignal = new AbortController().signal;
const folder = scratch();
let pod: Pod | undefined;
const server = (): Pod => {
  if (pod === undefined) throw new Error("the server did not start");
  return pod;
};
const hba = hbaFile("c", "shut");
const verifier = scramVerifier("a-password", saltFor("a vdb"));

function prepare(role: string, database: string, settings = ""): PreparationResult {
  const { command, stdin } = preparationCommand({ hba, settings, role, database, verifier });
  return preparationResult(server().exec(command, stdin));
}

/** What the operator would say: nothing when the role gets in. */
function trouble(user: string, name: string, settings?: string): readonly [reason: string, message: string] {
  const vdb = { metadata: { namespace: "n", name: "v" }, spec: { database: { user, name } } };
  const result = prepare(user, name, settings);
  if (result.kind !== "answer" && result.kind !== "lockedOut") return [result.kind, result.message];
  const found = result.kind === "answer" ? loginTrouble(vdb, result.state) : lockedOut(vdb, result.message, result.roles);
  return found === undefined ? ["", ""] : [found.reason, found.message];
}
const fine = ["", ""] as const;
const sql = (text: string): string => server().sql(text, "root_of_all");
const other = (text: string): string => server().sql(text, "the other one");
const execAsApp: PodExec = async ({ command }) => ({
  ...server().exec(["/usr/bin/env", "PGUSER=app", "PGDATABASE=orders", ...command]),
  truncated: false,
});
const position = async (): Promise<string> =>
  (await walPosition({ exec: execAsApp }, { metadata: { name: "v" } }, forever)) ?? "";

describe("sessions on a server that somebody else has set up", { timeout: 120_000 }, () => {
  before(async () => {
    newCluster(folder.path, "root_of_all");
    pod = await startPod(folder.path, { contentId: "c", hba });
    for (let tries = 0; ; tries += 1) {
      try {
        sql("SELECT 1");
        break;
      } catch (error) {
        if (tries > 100) throw error;
        await setTimeout(100);
      }
    }
    sql("CREATE ROLE app LOGIN; CREATE ROLE nobody; CREATE DATABASE orders; CHECKPOINT");
  });
  after(async () => {
    await pod?.stop();
    folder[Symbol.dispose]();
  });

  /** Set, looked at, and taken back by the very statement that the message names. */
  const traps: readonly (readonly [name: string, set: string, reset: string, where?: readonly [string, string]])[] = [
    [
      "a library for a role",
      "ALTER ROLE app SET session_preload_libraries = 'absent'",
      "ALTER ROLE app RESET session_preload_libraries",
    ],
    ["one of its own", "ALTER ROLE app SET local_preload_libraries = 'absent'", "ALTER ROLE app RESET local_preload_libraries"],
    [
      "a library for a database",
      "ALTER DATABASE orders SET session_preload_libraries = absent, auto_explain",
      "ALTER DATABASE orders RESET session_preload_libraries",
    ],
    [
      "a library for a role in a database",
      "ALTER ROLE app IN DATABASE orders SET session_preload_libraries = 'absent'",
      "ALTER ROLE app IN DATABASE orders RESET session_preload_libraries",
    ],
    [
      "a library for everybody",
      "ALTER ROLE ALL SET session_preload_libraries = 'absent'",
      "ALTER ROLE ALL RESET session_preload_libraries",
    ],
    [
      "a library for the only superuser, in the database that the operator uses",
      "ALTER ROLE root_of_all IN DATABASE postgres SET session_preload_libraries = 'absent'",
      "ALTER ROLE root_of_all IN DATABASE postgres RESET session_preload_libraries",
      ["root_of_all", "postgres"],
    ],
  ];
  for (const [name, set, reset, [user, database] = ["app", "orders"]] of traps)
    test(`a setting that ends sessions is told with the statement that takes it back: ${name}`, () => {
      sql(set);
      const [reason, message] = trouble(user, database);
      equal(reason, "LoginFailed", message);
      match(message, /could not access file ".*absent"/u);
      equal(message.includes(reset), true, message);
      const [, options = "", superuser = "", elsewhere = ""] =
        /"PGOPTIONS=(.*?)" psql -U "(.*?)" -d "(.*?)"/u.exec(message) ?? [];
      const way = [
        "/usr/bin/env",
        `PGOPTIONS=${options}`,
        "psql",
        "-h",
        server().run,
        "-U",
        superuser,
        "-d",
        elsewhere,
        "-c",
        reset,
      ];
      equal(server().exec(way).exitCode, 0, "the way in that it tells");
      deepEqual(trouble(user, database), fine);
    });

  test("the manifest's own settings can end sessions too", () => {
    const [reason, message] = trouble("app", "orders", "session_preload_libraries = 'absent'\n");
    deepEqual([reason, /session_preload_libraries = absent from .*spec\.postgresConfig/u.test(message)], ["LoginFailed", true]);
    deepEqual(trouble("app", "orders"), fine);
  });

  test("nothing that is set for the operator's role or database changes what its statements mean", () => {
    const settings = {
      role: "nobody",
      client_encoding: "LATIN1",
      search_path: "public",
      default_transaction_read_only: "on",
      default_transaction_isolation: "serializable",
      default_transaction_deferrable: "on",
      statement_timeout: "1",
      lock_timeout: "1",
      idle_session_timeout: "1",
      standard_conforming_strings: "off",
      quote_all_identifiers: "on",
      session_preload_libraries: "absent",
      local_preload_libraries: "absent",
    };
    sql('CREATE ROLE "jürgen €" LOGIN');
    const way = [
      "/usr/bin/env",
      "PGOPTIONS=-csession_preload_libraries= -clocal_preload_libraries= -crole=none -cdefault_transaction_read_only=off -cidle_session_timeout=0 -cstatement_timeout=0",
    ];
    for (const target of ["ROLE root_of_all", "DATABASE postgres"]) {
      const set = Object.entries(settings).map(([name, value]) => `ALTER ${target} SET ${name} = '${value}';`);
      sql(`BEGIN; ${set.join(" ")} COMMIT`);
      deepEqual(trouble("jürgen €", "orders"), fine, "under LATIN1 it would not be found");
      const reset = [...way, "psql", "-h", server().run, "-U", "root_of_all", "-d", "orders", "-qc"];
      const { exitCode, stderr } = server().exec([...reset, `ALTER ${target} RESET ALL`]);
      equal(exitCode, 0, stderr);
    }
    match(sql(`SELECT rolpassword FROM pg_authid WHERE rolname = 'jürgen €'`), /^SCRAM-SHA-256/u);
  });

  test("a database that takes nobody in is told, one that is full for the moment is none", async () => {
    for (const [set, reset, words] of [
      [
        "ALTER DATABASE orders ALLOW_CONNECTIONS false",
        "ALTER DATABASE orders ALLOW_CONNECTIONS true",
        /not currently accepting/u,
      ],
      ["ALTER ROLE app CONNECTION LIMIT 0", "ALTER ROLE app CONNECTION LIMIT -1", /too many connections for role/u],
      [
        "UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'orders'",
        "UPDATE pg_database SET datconnlimit = -1",
        /invalid database/u,
      ],
      [
        "UPDATE pg_database SET datcollate = 'xx_YY' WHERE datname = 'orders'",
        "UPDATE pg_database SET datcollate = 'C'",
        /LC_COLLATE "xx_YY".*spec\.image/u,
      ],
    ] as const) {
      sql(set);
      const [reason, message] = trouble("app", "orders");
      equal(reason, "LoginFailed", message);
      match(message, words);
      sql(reset);
    }
    deepEqual(trouble("app", "orders"), fine);
    sql("ALTER ROLE app CONNECTION LIMIT 1");
    const client = spawn(
      join(programs, "psql"),
      ["-h", server().run, "-p", String(server().port), "-U", "app", "orders", "-c", "SELECT pg_sleep(30)"],
      owner,
    );
    while (sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'") !== "1") await setTimeout(50);
    deepEqual(trouble("app", "orders"), fine);
    client.kill();
    await once(client, "exit");
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
    sql("ALTER ROLE app CONNECTION LIMIT -1");
  });

  test("a locale that no database can do without is told with what has to have it", () => {
    sql("UPDATE pg_database SET datcollate = 'xx_YY' WHERE datname <> 'orders'");
    const [reason, message] = trouble("app", "absent");
    equal(reason, "LoginFailed", message);
    match(message, /^no superuser can open a session \(tried: root_of_all\): .*LC_COLLATE "xx_YY".*spec\.image/u);
    deepEqual(trouble("app", "orders"), fine, "one that can be used is enough");
    server().sql("UPDATE pg_database SET datcollate = 'C'", "root_of_all", "orders");
  });

  test("how far the WAL has come is told, whatever is set for the role of the database", async () => {
    sql("ALTER ROLE app SET session_preload_libraries = 'absent'");
    const start = await position();
    sql("CREATE TABLE written AS SELECT repeat('x', 1000) AS text FROM generate_series(1, 1000)");
    const written = walBytesBetween(start, await position());
    equal(written > 1_000_000 && written < 20_000_000, true, `${start}: ${written} bytes`);
    sql("ALTER ROLE app RESET session_preload_libraries; DROP TABLE written");
  });

  test("any superuser that can log in serves; where there is none, that is told with the roles there are", () => {
    sql('CREATE ROLE "the other one" SUPERUSER LOGIN');
    sql("ALTER ROLE root_of_all NOLOGIN");
    deepEqual(trouble("app", "orders"), fine, "not written to the data directory yet");
    other("VACUUM FULL pg_authid; CHECKPOINT");
    deepEqual([trouble("app", "orders"), trouble("the other one", "postgres")], [fine, fine]);
    equal(trouble("absent", "orders")[0], "RoleNotFound");
    match(trouble("absent", "orders")[1], /its roles: app, jürgen €, the other one$/u);
    other('ALTER ROLE "the other one" NOLOGIN; CHECKPOINT');
    for (const user of ["app", "the other one", "absent"]) {
      const [reason, message] = trouble(user, "orders");
      equal(reason, "SuperuserNotFound", message);
      match(message, /root_of_all, the other one may not.*: app, jürgen €\. |the other one, root_of_all may not.*: .*app/u);
    }
  });
});
