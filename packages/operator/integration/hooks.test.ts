/** Hooks as they run in the pod, on a real PostgreSQL 16.2. */
import { deepEqual, equal, match } from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { endHookCommand, type HookCall, type HookState, hookCommand, hookState } from "../src/postgres/hook.ts";
import { newCluster, type Pod, scratch, startPod } from "./postgres.ts";

const folder = scratch();
let pod: Pod | undefined;
const server = (): Pod => {
  if (pod === undefined) throw new Error("the server did not start");
  return pod;
};

function run(call: Partial<HookCall> & { readonly token: string }): HookState {
  const defaults = { type: "command" as const, script: "", database: "postgres", timeoutSeconds: 30, waitSeconds: 10 };
  const { command, stdin } = hookCommand({ ...defaults, ...call }, server().run);
  return hookState(server().exec(["/usr/bin/env", `PGHOST=${server().run}`, "PGUSER=postgres", ...command], stdin));
}

function end(token: string): HookState {
  const { command, stdin } = endHookCommand(token, server().run);
  return hookState(server().exec(["/usr/bin/env", `PGHOST=${server().run}`, "PGUSER=postgres", ...command], stdin));
}

/** SQL that would take effect only after the hook's time. */
const slow = (table: string): string => `CREATE TABLE ${table} AS SELECT 1 FROM pg_sleep(2.5);`;
const exists = (table: string): string => server().sql(`SELECT to_regclass('${table}') IS NOT NULL`, "postgres", "orders");

describe("hooks in a pod", { timeout: 120_000 }, () => {
  before(async () => {
    newCluster(folder.path);
    pod = await startPod(folder.path, { contentId: "hooks" });
    await pod.answers();
    pod.sql("CREATE DATABASE orders");
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
    const script = "sleep 1.5; echo finished";
    equal(run({ token: "long", script, waitSeconds: 0 }).kind, "running");
    deepEqual(run({ token: "long", script, waitSeconds: 10 }), {
      kind: "ended",
      exitCode: 0,
      timedOut: false,
      output: "finished",
    });
  });

  test("at its time it is ended with the processes it began", () => {
    const file = join(server().run, "left-behind");
    const state = run({ token: "late", script: `(sleep 3; touch ${file}) & sleep 60`, timeoutSeconds: 1, waitSeconds: 10 });
    equal(state.kind === "ended" && state.timedOut, true);
    server().exec(["sleep", "3"]);
    equal(existsSync(file), false);
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

  test("SQL that was ended at its time does not commit afterwards", () => {
    const state = run({ token: "late-sql", type: "sql", script: slow("too_late"), database: "orders", timeoutSeconds: 1 });
    equal(state.kind === "ended" && state.timedOut, true);
    server().exec(["sleep", "3"]);
    equal(exists("too_late"), "f");
  });

  test("SQL whose client was killed does not commit afterwards, though nobody asks for it", () => {
    equal(run({ token: "killed-sql", type: "sql", script: slow("orphan"), database: "orders", waitSeconds: 0 }).kind, "running");
    server().exec(["/bin/sh", "-c", "sleep 0.5; pkill -KILL -x psql"]);
    server().exec(["sleep", "3"]);
    equal(exists("orphan"), "f");
  });

  test("one that is no longer wanted is ended with all it began, in whatever process groups, and in the server", () => {
    const file = join(server().run, "survivor");
    const script = `#!/bin/bash\nset -m\n(sleep 3; touch ${file}) &\npsql -c "${slow("unwanted")}"`;
    equal(run({ token: "unwanted", script, database: "orders", waitSeconds: 1 }).kind, "running");
    equal(end("unwanted").kind, "interrupted");
    equal(server().sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'delphix-hook'"), "0");
    server().exec(["sleep", "3.5"]);
    deepEqual([existsSync(file), exists("unwanted")], [false, "f"]);
    equal(run({ token: "unwanted", script }).kind, "interrupted", "and it stays so");
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

  test("one that was killed is interrupted, not run again", () => {
    equal(run({ token: "cut", script: "sleep 30", waitSeconds: 1 }).kind, "running");
    const pid = readFileSync(join(server().run, "hooks/cut/pid"), "utf8").trim();
    server().exec(["/bin/sh", "-c", `kill -9 -${pid}`]);
    equal(run({ token: "cut", script: "sleep 30", waitSeconds: 5 }).kind, "interrupted");
  });

  test("one whose container was restarted is interrupted, whatever process has its number now", async () => {
    equal(run({ token: "restarted", script: "sleep 5", waitSeconds: 0 }).kind, "running");
    server().exec(["/bin/sh", "-c", `: >'${server().run}/hooks/restarted/interrupted'`]); // as start.sh leaves it
    equal(run({ token: "restarted", script: "sleep 5", waitSeconds: 5 }).kind, "interrupted");
  });

  test("one whose pod is deleted under it is interrupted: its lost session is no failure of its own", () => {
    const call = { token: "deleted", type: "sql" as const, script: "SELECT pg_sleep(30);" };
    equal(run({ ...call, waitSeconds: 1 }).kind, "running");
    server().terminate();
    equal(run({ ...call, waitSeconds: 10 }).kind, "interrupted");
  });
});
