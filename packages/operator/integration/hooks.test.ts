/** Hooks as they run in the pod, on a real PostgreSQL 16.2. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { endHookCommand, type HookCall, type HookState, hookCommand, hookState } from "../src/postgres/hook.ts";
import { newCluster, type Pod, programs, scratch, startPod } from "./testing/postgres.ts";
import { until } from "./testing/until.ts";

const folder = scratch();
let pod: Pod | undefined;
const server = (): Pod => {
  if (pod === undefined) throw new Error("the server did not start");
  return pod;
};

function run(call: Partial<HookCall> & { readonly token: string }, env: readonly string[] = []): HookState {
  const defaults = { type: "command" as const, script: "", database: "postgres", timeoutSeconds: 30, waitSeconds: 60 };
  const { command, stdin } = hookCommand({ ...defaults, ...call }, server().run);
  return hookState(server().exec(["/usr/bin/env", `PGHOST=${server().run}`, "PGUSER=postgres", ...env, ...command], stdin));
}

function end(token: string): HookState {
  const { command, stdin } = endHookCommand(token, server().run);
  return hookState(server().exec(["/usr/bin/env", `PGHOST=${server().run}`, "PGUSER=postgres", ...command], stdin));
}

/** SQL that takes effect long after all that is expected of its hook. */
const slow = (table: string): string => `CREATE TABLE ${table} AS SELECT 1 FROM pg_sleep(60);`;
const exists = (table: string): string => server().sql(`SELECT to_regclass('${table}') IS NOT NULL`, "postgres", "orders");

/** Sessions of hooks that are at work on a statement. */
const statements = (): string =>
  server().sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'delphix-run %' AND state = 'active'");
const sessions = (): string => server().sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'delphix-run %'");

/** The processes that a hook has begun and that are still there, by their number and program. */
function processesOf(token: string): readonly { readonly pid: number; readonly program: string }[] {
  const mark = `VDB_TOKEN=${server().run}/hooks/${token}\0`;
  const found: { pid: number; program: string }[] = [];
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/u.test(entry))) {
    try {
      if (!readFileSync(`/proc/${name}/environ`, "latin1").includes(mark)) continue;
      found.push({ pid: Number(name), program: readFileSync(`/proc/${name}/comm`, "utf8").trim() });
    } catch {
      // it has ended meanwhile
    }
  }
  return found;
}

function killAll(token: string, program?: string): void {
  const found = processesOf(token).filter((one) => program === undefined || one.program === program);
  ok(found.length > 0, `nothing of ${token} is at work`);
  for (const { pid } of found) process.kill(pid, "SIGKILL");
}

/** Something in the background that makes a file once the test lets it, and then has a second for it. */
function survivor(name: string): { readonly script: string; readonly survives: () => Promise<boolean> } {
  const [file, go] = [join(server().run, name), join(server().run, `${name}-go`)];
  return {
    script: `(until [ -e ${go} ]; do sleep 0.1; done; touch ${file}) &`,
    survives: async () => {
      writeFileSync(go, "");
      await sleep(1000);
      return existsSync(file);
    },
  };
}

/** A PATH in which one program begins this much later. */
function late(program: string, seconds: number): string {
  const tools = join(folder.path, `late-${program}`);
  mkdirSync(tools);
  chmodSync(tools, 0o755);
  const text = `#!/bin/sh\nsleep ${seconds}\nexec /usr/bin/${program} "$@"\n`;
  writeFileSync(join(tools, program), text, { mode: 0o755 });
  return `PATH=${tools}:${programs}:/usr/bin:/bin`;
}

/** How it ended: its exit code (0 or not) and what it said. */
function ending(state: HookState): readonly [ok: boolean, output: string] {
  if (state.kind !== "ended") throw new Error(`it is ${state.kind}`);
  return [state.exitCode === 0, state.output];
}
const sql = (token: string, script: string, call: Partial<HookCall> = {}): readonly [ok: boolean, output: string] =>
  ending(run({ token, type: "sql", database: "orders", script, ...call }));

describe("hooks in a pod", { timeout: 600_000 }, () => {
  before(async () => {
    newCluster(folder.path);
    pod = await startPod(folder.path, { contentId: "hooks", settings: "max_prepared_transactions = 5\n" });
    await pod.answers();
    pod.sql("CREATE DATABASE orders");
    pod.sql("CREATE DATABASE western ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    pod.sql("CREATE TABLE people AS SELECT 'unmasked' AS name", "postgres", "orders");
  });
  after(async () => {
    await pod?.stop();
    folder[Symbol.dispose]();
  });

  test("SQL runs in its database, and stops at the first error", () => {
    deepEqual(run({ token: "sql", type: "sql", script: "CREATE TABLE made AS SELECT 1;", database: "orders" }), {
      kind: "ended",
      exitCode: 0,
      timedOut: false,
      output: "SELECT 1",
    });
    equal(server().sql("SELECT count(*) FROM made", "postgres", "orders"), "1");
    const failed = run({ token: "error", type: "sql", script: "SELECT 1/0;\nCREATE TABLE never();", database: "orders" });
    equal(failed.kind === "ended" && failed.exitCode, 3);
    match(failed.kind === "ended" ? failed.output : "", /division by zero/u);
    equal(server().sql("SELECT to_regclass('never') IS NULL", "postgres", "orders"), "t");
  });

  const mask = "UPDATE people SET name = 'masked';";
  const open: Readonly<Record<string, string>> = {
    "BEGIN without COMMIT": `BEGIN; ${mask}`,
    "autocommit off": `\\set AUTOCOMMIT off\n${mask}`,
    "quit in a transaction": `BEGIN;\n${mask}\n\\q\nCOMMIT;`,
    "a failed transaction whose errors are ignored": `\\set ON_ERROR_STOP off\nBEGIN;\n${mask}\nSELECT 1/0;`,
    "BEGIN in the last line, behind a comment": `SELECT 1; BEGIN; ${mask} -- and so on`,
    "a transaction that is prepared alone": `BEGIN; ${mask} PREPARE TRANSACTION 'half';`,
    "one that waits for its data": `BEGIN; ${mask} COPY people FROM stdin;\nsomebody\n`,
  };
  for (const [name, script] of Object.entries(open))
    test(`SQL that leaves a transaction open has failed: ${name}`, () => {
      const [succeeded, output] = sql(`open-${name.replaceAll(/\W/gu, "-")}`, script);
      server().sql("SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts \\gexec", "postgres", "orders");
      deepEqual([succeeded, server().sql("SELECT name FROM people", "postgres", "orders")], [false, "unmasked"]);
      match(output, /left a transaction open/u);
    });

  const closed: Readonly<Record<string, string>> = {
    "without a last semicolon": "SELECT 1",
    "quit outside of a transaction": "SELECT 1;\n\\q\nSELECT never;",
    "a transaction of its own": "BEGIN; SELECT 1; COMMIT;",
    "autocommit off, but committed": "\\set AUTOCOMMIT off\nSELECT 1;\nCOMMIT;",
    "another database": "SELECT 1;\n\\connect postgres\nSELECT 2;",
    "a comment at its end": "SELECT 1; -- done",
    "an output of its own": "\\pset format html\n\\x\n\\t\n\\o /dev/null\nSELECT 1;",
    "names in the way":
      "CREATE FUNCTION public.now() RETURNS int LANGUAGE sql AS 'SELECT 1'; SET search_path = public, pg_catalog; SELECT 1;",
  };
  for (const [name, script] of Object.entries(closed))
    test(`SQL that leaves nothing open succeeds: ${name}`, () => {
      const [succeeded, output] = sql(`closed-${name.replaceAll(/\W/gu, "-")}`, script);
      equal(succeeded, true, output);
    });

  test("a command that ends before what it began has failed, and that is ended", async () => {
    const left = survivor("in-the-background");
    for (const [token, script] of [
      ["left-process", `${left.script} echo begun`],
      ["left-session", `setsid psql -c "${slow("behind")}" >/dev/null 2>&1 & echo begun`],
    ] as const) {
      const [succeeded, output] = ending(run({ token, script, database: "orders" }));
      equal(succeeded, false);
      match(output, /begun\n.*in the background/u);
      await until("its processes and sessions are gone", () => processesOf(token).length === 0 && sessions() === "0", 120);
    }
    deepEqual([await left.survives(), exists("behind")], [false, "f"]);
    const waits = "exec > >(sed s/begun/ended/)\n(sleep 0.5; echo begun) & wait $!";
    deepEqual(ending(run({ token: "waits", script: `#!/bin/bash\n${waits}` })), [true, "ended"]);
  });

  test("its letters are UTF-8, whatever the database, the role or the environment takes for granted", () => {
    server().sql("ALTER ROLE postgres SET client_encoding = 'LATIN1'");
    try {
      const letters = "SELECT 'Müller' AS name, octet_length(convert_to('ü', getdatabaseencoding())) AS bytes";
      for (const [database, bytes] of [
        ["western", "1"],
        ["orders", "2"],
      ] as const) {
        const [, output] = sql(`umlaut-${database}`, `\\pset format unaligned\n\\t\n${letters}`, { database });
        match(output, new RegExp(`Müller\\|${bytes}`, "u"));
        const script = `psql -XAtqc "${letters}"`;
        deepEqual(ending(run({ token: `umlaut-command-${database}`, script, database })), [true, `Müller|${bytes}`]);
      }
      match(sql("no-such-letter", "SELECT 'Łódź'", { database: "western" })[1], /^line 1: ERROR: .*has no equivalent/u);
    } finally {
      server().sql("ALTER ROLE postgres RESET client_encoding");
    }
  });

  test("output that is no text is shown escaped, and a letter that the cut has halved is left out", () => {
    const script = String.raw`printf 'ü € 𐍈 \374\300\200\355\240\200 \033[1m\000\tend'`;
    deepEqual(ending(run({ token: "bytes", script })), [true, String.raw`ü € 𐍈 \xFC\xC0\x80\xED\xA0\x80 \x1B[1m\x00` + "\tend"]);
    for (const [token, letter] of [
      ["two", "ü"],
      ["three", "€"],
      ["four", "𐍈"],
    ] as const)
      match(
        ending(
          run({ token: `cut-${token}`, script: `i=0; while [ $i -lt 3000 ]; do printf '${letter}'; i=$((i+1)); done; printf .` }),
        )[1],
        new RegExp(`^${letter}+\\.$`, "u"),
      );
  });

  test("line ends and a mark from Windows are no part of it", () => {
    const command = '\uFEFF#!/bin/bash\r\nif true; then\r\n  echo "<$BASH_VERSION>" | tr -dc "<>\\r"\r\nfi\r\n';
    deepEqual(ending(run({ token: "windows", script: command })), [true, "<>"]);
    deepEqual(ending(run({ token: "windows-sh", script: "printf '%s.' one\r\nprintf '%s.' two\r" })), [true, "one.two."]);
    const text = "\\t\r\n\\pset format unaligned\r\nSELECT length('a\r\nb');\r\n";
    match(sql("windows-sql", text)[1], /^3$/mu);
  });

  test("what failed is told by its line, not by a path of the pod", () => {
    match(sql("line-sql", "SELECT 1;\n\nSELECT 1/0;")[1], /^line 3: ERROR: {2}22012: division by zero$/mu);
    equal(ending(run({ token: "line-sh", script: "true\nno-such-program" }))[1], "line 2: no-such-program: not found");
    match(ending(run({ token: "line-bash", script: "#!/bin/bash\ntrue\nno-such-program" }))[1], /^line 3: no-such-program: /u);
    match(sql("no-database", "SELECT 1", { database: "absent" })[1], /^FATAL: {2}database "absent" does not exist$/u);
  });

  test("a command runs by the shell of its first line, bare psql works in it, and its text is kept as it is", () => {
    const script =
      "#!/bin/bash\nset -o pipefail\necho \"shell: ${BASH_VERSION:+bash}\"\npsql -XAtqc 'SELECT current_database()'\n";
    const state = run({ token: "command", script, database: "orders" });
    equal(state.kind === "ended" && state.output, "shell: bash\norders");
    equal(readFileSync(join(server().run, "hooks/command/text"), "utf8"), script);
  });

  test("the same token never runs twice: the second call has the first one's end", () => {
    const script = `echo once >>${join(server().run, "counted")}; exit 7`;
    const ended: HookState = { kind: "ended", exitCode: 7, timedOut: false, output: "" };
    deepEqual([run({ token: "once", script }), run({ token: "once", script })], [ended, ended]);
    equal(readFileSync(join(server().run, "counted"), "utf8"), "once\n");
  });

  test("one that takes long goes on while nobody waits", () => {
    const go = join(server().run, "long-go");
    const script = `until [ -e ${go} ]; do sleep 0.1; done; echo finished`;
    equal(run({ token: "long", script, waitSeconds: 0 }).kind, "running");
    writeFileSync(go, "");
    deepEqual(run({ token: "long", script }), {
      kind: "ended",
      exitCode: 0,
      timedOut: false,
      output: "finished",
    });
  });

  test("its output is whole, however late that is written down", () => {
    deepEqual(ending(run({ token: "late-output", script: "echo all of it" }, [late("tail", 1)])), [true, "all of it"]);
  });

  test("at its time it is ended with the processes it began", async () => {
    const left = survivor("left-behind");
    const state = run({ token: "late", script: `${left.script} sleep 60`, timeoutSeconds: 1 });
    equal(state.kind === "ended" && state.timedOut, true);
    await until("its processes are gone", () => processesOf("late").length === 0, 120);
    equal(await left.survives(), false);
  });

  test("what it has done outlives a crash, whatever the source thought of that", () => {
    server().sql("ALTER ROLE postgres SET synchronous_commit = off; ALTER ROLE postgres SET statement_timeout = '1ms'");
    try {
      const state = run({ token: "durable", type: "sql", script: "SHOW synchronous_commit; SHOW statement_timeout" });
      match(state.kind === "ended" ? state.output : "", /\bon\b[\s\S]*\b30s\b/u);
    } finally {
      server().sql("SET statement_timeout = 0; ALTER ROLE postgres RESET ALL");
    }
  });

  test("SQL that was ended at its time does not commit afterwards", async () => {
    const script = `SET statement_timeout = 0; ${slow("too_late")}`;
    const state = run({ token: "late-sql", type: "sql", script, database: "orders", timeoutSeconds: 1 });
    equal(state.kind === "ended" && state.timedOut, true);
    await until("its session is gone", () => sessions() === "0", 120);
    equal(exists("too_late"), "f");
  });

  test("SQL whose client was killed does not commit afterwards, though nobody asks for it", async () => {
    const call = { token: "killed-sql", type: "sql", script: slow("orphan"), database: "orders" } as const;
    equal(run({ ...call, timeoutSeconds: 300, waitSeconds: 0 }).kind, "running");
    await until("its statement runs", () => statements() === "1", 120);
    killAll("killed-sql", "psql");
    await until("its session is gone", () => sessions() === "0", 120);
    equal(exists("orphan"), "f");
  });

  test("one that is no longer wanted is ended with all it began, in whatever process groups, and in the server", async () => {
    const left = survivor("survivor");
    const script = `#!/bin/bash\nset -m\n${left.script}\npsql -c "${slow("unwanted")}"`;
    equal(run({ token: "unwanted", script, database: "orders", timeoutSeconds: 300, waitSeconds: 0 }).kind, "running");
    await until("its statement runs", () => statements() === "1", 120);
    equal(end("unwanted").kind, "interrupted");
    deepEqual([processesOf("unwanted"), sessions()], [[], "0"]);
    deepEqual([await left.survives(), exists("unwanted")], [false, "f"]);
    equal(run({ token: "unwanted", script }).kind, "interrupted", "and it stays so");
  });

  test("one that is no longer wanted before it has come to its work never comes to it", async () => {
    const [token, file] = ["late-begin", join(server().run, "late-begin")];
    equal(run({ token, script: `touch ${file}`, waitSeconds: 0 }, [late("setsid", 4)]).kind, "running");
    await until("it has begun", () => processesOf(token).length > 0, 120);
    equal(end(token).kind, "interrupted");
    await until("its processes are gone", () => processesOf(token).length === 0, 120);
    equal(existsSync(file), false);
  });

  test("one that is no longer wanted cannot begin any more", () => {
    equal(end("never-begun").kind, "interrupted");
    const file = join(server().run, "begun");
    equal(run({ token: "never-begun", script: `touch ${file}` }).kind, "interrupted");
    equal(existsSync(file), false);
  });

  test("its output is bounded to the end of it", () => {
    const state = run({ token: "loud", script: "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo last" });
    const output = state.kind === "ended" ? state.output : "";
    match(output, /line 19999\nlast$/u);
    equal(output.length <= 4096, true);
  });

  test("one that was killed is interrupted, not run again", async () => {
    const pid = join(server().run, "hooks/cut/pid");
    equal(run({ token: "cut", script: "sleep 300", timeoutSeconds: 600, waitSeconds: 0 }).kind, "running");
    await until("it runs", () => existsSync(pid) && processesOf("cut").some(({ program }) => program === "sleep"), 120);
    process.kill(-Number(readFileSync(pid, "utf8")), "SIGKILL");
    equal(run({ token: "cut", script: "sleep 300" }).kind, "interrupted");
    killAll("cut"); // `timeout` and the command have a group of their own
  });

  test("one whose container was restarted is interrupted, whatever process has its number now", async () => {
    const call = { token: "restarted", script: "sleep 300", timeoutSeconds: 600 };
    equal(run({ ...call, waitSeconds: 0 }).kind, "running");
    await until("it runs", () => processesOf("restarted").some(({ program }) => program === "sleep"), 120);
    server().exec(["/bin/sh", "-c", `: >'${server().run}/hooks/restarted/interrupted'`]); // as start.sh leaves it
    equal(run(call).kind, "interrupted");
    killAll("restarted");
  });

  test("one whose pod is deleted under it is interrupted: its lost session is no failure of its own", async () => {
    const call = { token: "deleted", type: "sql" as const, script: "SELECT pg_sleep(300);", timeoutSeconds: 600 };
    equal(run({ ...call, waitSeconds: 0 }).kind, "running");
    await until("its statement runs", () => statements() === "1", 120);
    server().terminate();
    equal(run(call).kind, "interrupted");
  });
});
