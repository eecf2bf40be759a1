/** kubectl vdb on a real database, found by kubectl on PATH: what a server, a terminal and a log have to be there for. */
import { equal, match } from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { type CommandResult, ensureNamespace, testCluster, tryRun } from "@vdb/cluster";
import { applyVdb, deleteVdb, makePasswordSecret, runAction } from "./vdb.ts";

const kubectl = await testCluster();
const vdb = { name: "by-hand", namespace: "by-hand" };
const place = ["-n", vdb.namespace];

describe("kubectl vdb", { timeout: 600_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-vdb-"));
  const env = { ...kubectl.bound.env, PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}` };
  const run = (words: readonly string[], input = ""): Promise<CommandResult> =>
    tryRun("kubectl", ["vdb", ...words], { env, input });

  before(async () => {
    execFileSync("node", [new URL("../packages/cli/build.ts", import.meta.url).pathname, folder]);
    await ensureNamespace(kubectl, vdb.namespace);
    await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    const ready = await run(["wait", vdb.name, ...place, "--timeout", "4m"]);
    equal(ready.exitCode, 0, ready.stderr);
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await deleteVdb(kubectl, vdb);
    await kubectl.run(["delete", "namespace", vdb.namespace, "--timeout=120s"]);
  });

  test("psql asks for no password, takes SQL from a pipe, and ends as it ended", async () => {
    const told = await run(["psql", vdb.name, ...place, "--", "-qXAt", "-c", "SELECT current_user"]);
    equal(told.stdout, "postgres\n", told.stderr);
    equal((await run(["psql", vdb.name, ...place, "--", "-qXAt"], "SELECT 40 + 2;\n")).stdout, "42\n");
    equal((await run(["psql", vdb.name, ...place, "--", "-c", "SELECT nothing"])).exitCode, 1);
  });

  test("psql --tcp logs in through a port-forward, with the Secret's password", async () => {
    const told = await run(["psql", vdb.name, ...place, "--tcp", "--", "-qXAt", "-c", "SELECT inet_server_port() > 0"]);
    equal(told.stdout, "t\n", told.stderr);
    equal((await run(["psql", vdb.name, ...place, "--tcp", "--", "-c", "SELECT nothing"])).exitCode, 1);
  });

  test("a plan tells what a refresh would do, and a report has no password", async () => {
    const plan = await run(["plan", "refresh", vdb.name, ...place]);
    equal(plan.exitCode, 0, plan.stdout + plan.stderr);
    match(plan.stdout, /\n {2}data +\S+ of 20\S+Z\n/u);
    const report = await run(["report", vdb.name, ...place]);
    equal(report.exitCode, 0, report.stderr);
    match(report.stdout, /==== what has happened\n[\s\S]*database system is ready/u);
    const password = await kubectl.run(["get", "secret", `${vdb.name}-password`, ...place, "-o", "jsonpath={.data.password}"]);
    equal(report.stdout.includes(Buffer.from(password, "base64").toString()), false);
  });

  test("psql on a terminal has a prompt", async () => {
    // This terminal has no size, so psql would take any answer for too long and start a pager.
    const command = `kubectl vdb psql ${vdb.name} ${place.join(" ")} -- -P pager=off`;
    const script = spawn("script", ["-qec", command, "/dev/null"], { env: { ...process.env, ...env } });
    const ended = once(script, "close");
    const state = { shown: "", typed: false };
    script.stdout.setEncoding("utf8").on("data", (text: string) => {
      state.shown += text;
      // Not before the prompt: kubectl drops what was typed before it took over the terminal.
      if (!state.typed && state.shown.includes("postgres=# ")) script.stdin.write("SELECT 40 + 2;\n\\q\n");
      state.typed ||= state.shown.includes("postgres=# ");
    });
    const patience = setTimeout(() => script.kill(), 60_000);
    const [exitCode]: unknown[] = await ended;
    clearTimeout(patience);
    equal(exitCode, 0, state.shown);
    match(state.shown, /^ +42\b/mu);
  });

  test("run prints what SQL and commands print, and ends with their exit code", async () => {
    const sql = await run(["run", vdb.name, ...place, "-f", "-"], "SELECT 40 + 2 AS sum;\n");
    equal(sql.stdout, " sum \n-----\n  42\n(1 row)\n", sql.stderr);
    match(sql.stderr, /^ +\d+\.\d s {2}Running\n/mu);
    const command = await run(["run", vdb.name, ...place, "--command", "echo lost >&2; exit 5"]);
    equal(command.exitCode, 5);
    equal(command.stdout, "lost\n");
    equal((await run(["run", vdb.name, ...place, "SELECT nothing"])).exitCode, 3);
  });

  test("logs tells of a refresh that failed, by all that took part in it", async () => {
    const failing = { kind: "PostgresRefresh", name: "told", spec: { postRefresh: { content: "SELECT 1/0" } } };
    await runAction(kubectl, vdb, failing);
    const { stdout } = await run(["logs", vdb.name, ...place]);
    match(stdout, /Z {2}event {5}PostgresRefresh told: Refreshing: /u);
    match(stdout, /Z {2}operator {2}postgresrefresh by-hand\/told: phase begins .*phase=Refreshing\n/u);
    match(stdout, /Z {2}operator {2}postgresrefresh by-hand\/told: status changed .*phase=Error .*division by zero/u);
    match(stdout, /Z {2}driver {4}answered .*method=CreateVolume /u);
    match(stdout, /Z {2}driver {4}answered .*method=NodePublishVolume /u);
    match(stdout, /Z {2}engine {4}job completed .*type=DB_PROVISION /u);
    match(stdout, /Z {2}engine {4}job completed .*type=DB_REFRESH /u);
  });

  test("logs has the server's log and the operator's; doctor finds all that a database needs", async () => {
    const { stdout, stderr } = await run(["logs", vdb.name, ...place]);
    equal(stderr, "");
    match(stdout, /Z {2}postgres {2}.*database system is ready to accept connections/u);
    match(stdout, /Z {2}operator {2}postgresvdb by-hand\/by-hand: status changed/u);
    const doctor = await run(["doctor", ...place]);
    equal(doctor.exitCode, 0, doctor.stdout);
    for (const what of ["operator", "driver", "StorageClass", "DCT"]) match(doctor.stdout, new RegExp(`^ok +${what} `, "mu"));
  });
});
