/** The text of a task as it runs in the pod, on a real PostgreSQL 16.2: as psql would, and never a broken status. */
import { equal, match, ok } from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { backupSession, positionIn, signals } from "../src/postgres/backup-session.ts";
import { endHookCommand, type HookCall, type HookState, hookCommand, hookState, sessionName } from "../src/postgres/hook.ts";
import { newCluster, type Pod, scratch, startPod } from "./testing/postgres.ts";
import { until } from "./testing/until.ts";

const folder = scratch();
let pod: Pod | undefined;
const server = (): Pod => {
  if (pod === undefined) throw new Error("the server did not start");
  return pod;
};
const inPod = ({ command, stdin }: { readonly command: readonly string[]; readonly stdin: string }): HookState =>
  hookState(server().exec(["/usr/bin/env", `PGHOST=${server().run}`, "PGUSER=postgres", ...command], stdin));

let runs = 0;
function task(script: string, call: Partial<HookCall> = {}): { readonly exitCode: number; readonly output: string } {
  const defaults = { type: "sql" as const, database: "postgres", timeoutSeconds: 60, waitSeconds: 60 };
  const of = { ...defaults, token: `task-${(runs += 1)}`, outputBytes: 16_384, asWritten: true, script, ...call };
  const state = inPod(hookCommand(of, server().run));
  if (state.kind !== "ended") throw new Error(`it is ${state.kind}`);
  return state;
}

const succeeding: readonly { readonly name: string; readonly script: string; readonly want: string | RegExp }[] = [
  {
    name: "results have column names and row counts",
    script: "SELECT 1 AS one, 'a' AS letter UNION SELECT 22, NULL ORDER BY 1;",
    want: " one | letter \n-----+--------\n   1 | a\n  22 | \n(2 rows)",
  },
  {
    name: "several statements share one session",
    script: "CREATE TEMP TABLE t (i int); INSERT INTO t VALUES (1), (2); SELECT count(*) FROM t;",
    want: "CREATE TABLE\nINSERT 0 2\n count \n-------\n     2\n(1 row)",
  },
  { name: "no final newline nor semicolon", script: "SELECT 'last' AS x", want: /last\n\(1 row\)$/u },
  {
    name: "dollar quoting",
    script: "DO $body$ BEGIN RAISE NOTICE 'it''s; $1 %', $q$a;b$q$; END $body$;",
    want: /^line 1: NOTICE: {2}it's; \$1 a;b\nDO$/u,
  },
  {
    name: "meta commands",
    script: "\\set who world\n\\echo hello :who\n\\pset format unaligned\nSELECT 1 AS a, 2 AS b;",
    want: /^hello world\n[^]*a\|b\n1\|2\n\(1 row\)$/u,
  },
  { name: "carriage returns between statements", script: "SELECT 1 AS a;\r\nSELECT 2 AS b;\r\n", want: /a [^]*b /u },
  {
    name: "a carriage return in a literal stays in it",
    script: "SELECT length(E'a\\rb') AS e, length('a\r\nb') AS l;",
    want: /\n +3 \| +4\n/u,
  },
  { name: "bytes that are no text are escaped", script: "\\! printf '\\377\\001ok\\033[31m'", want: "\\xFF\\x01ok\\x1B[31m" },
  {
    name: "timing tells of the text alone",
    script: "\\timing on\nSELECT 1 AS a;",
    want: /^Timing is on\.\n a \n---\n 1\n\(1 row\)\n\nTime: [\d.]+ ms$/u,
  },
  { name: "a mark of the byte order is none of the SQL", script: "\uFEFFSELECT 1 AS a;", want: /1\n\(1 row\)/u },
];

describe("a task's text in the pod", { timeout: 600_000 }, () => {
  before(async () => {
    newCluster(folder.path);
    pod = await startPod(folder.path, { contentId: "tasks" });
    await pod.answers();
  });
  after(async () => {
    await pod?.stop();
    folder[Symbol.dispose]();
  });

  for (const { name, script, want } of succeeding)
    test(name, () => {
      const { exitCode, output } = task(script);
      equal(exitCode, 0, output);
      if (typeof want === "string") equal(output, want);
      else match(output, want);
    });

  test("an error has its SQLSTATE and its position, and ends the text", () => {
    const { exitCode, output } = task("SELECT 1 AS a;\nSELECT nothing FROM pg_class;\nSELECT 2 AS b;");
    equal(exitCode, 3);
    match(output, /line 2: ERROR: {2}42703: column "nothing" does not exist\nLINE 1: SELECT nothing FROM pg_class;\n +\^$/u);
  });

  test("a database that does not exist is named", () => {
    const { exitCode, output } = task("SELECT 1", { database: "appdb" });
    ok(exitCode !== 0);
    match(output, /database "appdb" does not exist/u);
  });

  test("large output is bounded to its end, in whole letters", () => {
    const { exitCode, output } = task("SELECT repeat('ü€😀', 400) FROM generate_series(1, 2000);");
    equal(exitCode, 0);
    ok(Buffer.byteLength(output) <= 16_384 && output.length > 5000, `${output.length}`);
    match(output, /\(2000 rows\)$/u);
    equal(output.includes("\uFFFD") || output.includes("\\x"), false);
  });

  test("the end of one ends no other's session", async () => {
    const begin = (token: string): string =>
      inPod(
        hookCommand(
          { token, type: "sql", script: "SELECT pg_sleep(300)", database: "postgres", timeoutSeconds: 600, waitSeconds: 0 },
          server().run,
        ),
      ).kind;
    const sessions = (token: string): string =>
      server().sql(`SELECT count(*) FROM pg_stat_activity WHERE application_name = '${sessionName(token)}' AND state = 'active'`);
    for (const token of ["one", "other"]) equal(begin(token), "running");
    await until("both are at work", () => sessions("one") === "1" && sessions("other") === "1", 120);
    equal(inPod(endHookCommand("one", server().run)).kind, "interrupted");
    equal([sessions("one"), sessions("other")].join(), "0,1");
    equal(task("SELECT 1").exitCode, 0, "nor is one that succeeds held to have left the other's behind");
    equal(inPod(endHookCommand("other", server().run)).kind, "interrupted");
  });
});

describe("a backup session in the pod", { timeout: 600_000 }, () => {
  const scratched = scratch();
  let own: Pod | undefined;
  const inOwn = ({ command, stdin }: { readonly command: readonly string[]; readonly stdin: string }): HookState => {
    if (own === undefined) throw new Error("the server did not start");
    return hookState(own.exec(["/usr/bin/env", `PGHOST=${own.run}`, "PGUSER=postgres", ...command], stdin));
  };
  before(async () => {
    newCluster(scratched.path);
    own = await startPod(scratched.path, { contentId: "backup" });
    await own.answers();
  });
  after(async () => {
    await own?.stop();
    scratched[Symbol.dispose]();
  });

  for (const [name, pre, post] of [
    ["the specification's example", "SELECT pg_start_backup('pre-snapshot');", "SELECT pg_stop_backup();"],
    ["SQL of its own kind, without a last semicolon", "CREATE TEMP TABLE t AS SELECT 1 AS x", "SELECT x FROM t"],
    ["no SQL at all", undefined, undefined],
    ["an output of its own", "\\o /dev/null\n\\x\n\\pset format html\nSELECT 1;", "SELECT 2"],
  ] as const)
    test(`${name}: it waits for the cut, in backup mode, and tells its position`, async () => {
      const token = `session-${name.length}`;
      const runFolder = `${own?.run}/hooks/${token}`;
      const { script } = backupSession({ label: "it's", major: 16, fast: true, pre, post, folder: runFolder });
      const call = {
        token,
        type: "sql" as const,
        script,
        database: "postgres",
        timeoutSeconds: 600,
        outputBytes: 65_536,
        asWritten: true,
      };
      equal(inOwn(hookCommand({ ...call, waitSeconds: 0 }, own?.run ?? "")).kind, "running");
      await until("it has begun", () => existsSync(`${runFolder}/${signals.begun}`), 120);
      const lsn = own?.sql("SELECT pg_current_wal_insert_lsn()") ?? "";
      equal(inOwn(hookCommand({ ...call, waitSeconds: 0 }, own?.run ?? "")).kind, "running");
      own?.exec(["/bin/sh", "-c", `: >'${runFolder}/${signals.cut}'`]);
      const state = inOwn(hookCommand({ ...call, waitSeconds: 60 }, own?.run ?? ""));
      if (state.kind !== "ended") throw new Error(`it is ${state.kind}`);
      equal(state.exitCode, 0, state.output);
      const { begin = "", end = "", timeline } = positionIn(state.output) ?? {};
      equal(
        own?.sql(`SELECT '${begin}'::pg_lsn <= '${lsn}'::pg_lsn AND '${lsn}'::pg_lsn <= '${end}'::pg_lsn`),
        "t",
        state.output,
      );
      equal(timeline, 1);
    });
});
