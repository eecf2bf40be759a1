/** Hooks as they run in the pod, on a real PostgreSQL 16.2. */
import { deepEqual, equal, match } from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type HookCall, type HookState, hookCommand, hookState } from "../src/postgres/hook.ts";
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
});
