/** docs/masking.md and its sample: a tool of PyPI masks a database as a hook. Full tier: it downloads the tool. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isFullTier } from "kube-runtime/testing";
import { parse } from "yaml";
import { type HookCall, type HookState, hookCommand, hookState } from "../src/postgres/hook.ts";
import { newCluster, type Pod, programs, scratch, startPod } from "./testing/postgres.ts";

const clone = join(import.meta.dirname, "../../..");
type Hook = Pick<HookCall, "type" | "script" | "timeoutSeconds"> & { readonly name: string; readonly stage: string };
const manifest: { readonly spec: { readonly hooks: readonly Hook[] } } = parse(
  readFileSync(join(clone, "samples/postgresvdb-masking.yaml"), "utf8"),
);
const hooksOf = (stage: string): readonly Hook[] => manifest.spec.hooks.filter((hook) => hook.stage === stage);

test("a refresh masks as the creation does", () => {
  const plain = (stage: string): unknown => hooksOf(stage).map((hook) => ({ ...hook, stage: "" }));
  ok(hooksOf("post-create").length > 0);
  deepEqual(plain("post-refresh"), plain("post-create"));
});

const originals = ["Ada Original", "ada@original.test", "call Ada at home", "common@original.test"] as const;
const shop = `
CREATE TABLE customers (id bigint PRIMARY KEY, full_name text NOT NULL, email text NOT NULL UNIQUE);
CREATE TABLE orders (id bigint PRIMARY KEY, email text NOT NULL, note text);
INSERT INTO customers VALUES (1, 'Ada Original', 'ada@original.test'), (2, 'Bob Original', 'common@original.test');
INSERT INTO customers SELECT n, 'Person ' || n || ' Original', 'p' || n || '@original.test' FROM generate_series(3, 5000) n;
INSERT INTO orders SELECT n, CASE WHEN n % 3 = 0 THEN 'common@original.test' ELSE 'ada@original.test' END, 'call Ada at home' FROM generate_series(1, 3000) n;
ANALYZE;
`;

describe("a database masked by pganonymize", { timeout: 600_000, skip: !isFullTier }, () => {
  const folder = scratch();
  const tool = join(folder.path, "masking");
  let pod: Pod | undefined;
  const server = (): Pod => {
    if (pod === undefined) throw new Error("the server did not start");
    return pod;
  };
  const sql = (statement: string, database = "shop"): string => server().sql(statement, "postgres", database);

  let runs = 0;
  function run({ type, script, timeoutSeconds = 300 }: Partial<Hook>, database = "shop"): HookState {
    const call = { token: `masking-${++runs}`, type: type ?? "sql", script: script ?? "", database, timeoutSeconds };
    const { command, stdin } = hookCommand({ ...call, waitSeconds: 300 }, server().run);
    const env = [`PGHOST=${server().run}`, "PGUSER=postgres", `PATH=${programs}:/usr/bin:/bin`];
    return hookState(server().exec(["/usr/bin/env", `PYTHONPATH=${tool}`, ...env, ...command], stdin));
  }
  /** The hooks one after the other, as a stage does it: up to the first that fails. */
  function stage(database = "shop"): { readonly name: string; readonly state: HookState } {
    for (const hook of hooksOf("post-create")) {
      const state = run(hook, database);
      if (state.kind !== "ended" || state.exitCode !== 0) return { name: hook.name, state };
    }
    return { name: "", state: { kind: "ended", exitCode: 0, timedOut: false, output: "" } };
  }
  /** What lies in the files of tables and indexes, of all databases. */
  const foundInFiles = (values: readonly string[]): readonly string[] => {
    sql("CHECKPOINT");
    const files = globSync(join(folder.path, "data/base/*/*")).map((file) => readFileSync(file, "latin1"));
    return values.filter((value) => files.some((text) => text.includes(value)));
  };

  before(async () => {
    const page = readFileSync(join(clone, "docs/masking.md"), "utf8");
    const [, command = ""] = /^\$ (python3 -m pip install .*)$/mu.exec(page) ?? [];
    ok(command.includes("--target=/opt/masking "), command);
    // For the interpreter that hooks find: the one in front on the PATH of the tests may lie where a user without rights cannot go.
    const install = command.replace("/opt/masking", tool).replace(" install ", " --python /usr/bin/python3 install --quiet ");
    execFileSync("sh", ["-c", install], { stdio: "pipe" });
    newCluster(folder.path);
    pod = await startPod(folder.path, { contentId: "masking" });
    await pod.answers();
    sql("CREATE DATABASE shop", "postgres");
    sql(shop);
  });
  after(async () => {
    await pod?.stop();
    folder[Symbol.dispose]();
  });

  test("production's values are in the rows, the statistics and the files", () => {
    deepEqual(foundInFiles(originals), originals);
    match(sql("SELECT most_common_vals FROM pg_stats WHERE tablename = 'orders' AND attname = 'email'"), /ada@original\.test/u);
  });

  test("a table that has changed in production keeps the gate shut, and nothing is half masked", () => {
    sql("CREATE DATABASE renamed TEMPLATE shop", "postgres");
    sql("ALTER TABLE orders RENAME note TO remark", "renamed");
    const unchanged = sql("SELECT md5(string_agg(c::text, '' ORDER BY id)) FROM customers c", "renamed");
    const { name, state } = stage("renamed");
    equal(name, "mask");
    match(state.kind === "ended" ? state.output : "", /column "note" does not exist/u);
    equal(sql("SELECT md5(string_agg(c::text, '' ORDER BY id)) FROM customers c", "renamed"), unchanged);

    sql("CREATE DATABASE grown TEMPLATE shop", "postgres");
    sql("ALTER TABLE customers ADD phone text", "grown");
    const grown = stage("grown");
    equal(grown.name, "nothing-unmasked");
    match(grown.state.kind === "ended" ? grown.state.output : "", /no rule says what to do with customers\.phone/u);
    for (const database of ["renamed", "grown"]) sql(`DROP DATABASE ${database}`, "postgres");
  });

  test("masked, nothing of them is left, and the tables still belong together", () => {
    const from = performance.now();
    deepEqual(stage(), { name: "", state: { kind: "ended", exitCode: 0, timedOut: false, output: "" } });
    console.log(`8000 rows masked in ${((performance.now() - from) / 1000).toFixed(1)} s`);
    equal(sql("SELECT count(*) FROM customers WHERE full_name LIKE '%Original' OR email NOT LIKE '%@example.com'"), "0");
    equal(sql("SELECT count(*), count(DISTINCT email), count(DISTINCT full_name) > 1000 FROM customers"), "5000|5000|t");
    equal(sql("SELECT count(*), count(note) FROM orders JOIN customers USING (email)"), "3000|0");
    equal(sql("SELECT count(*) FROM pg_stats WHERE schemaname = 'public' AND most_common_vals::text LIKE '%riginal%'"), "0");
    equal(sql("SELECT count(*) FROM pg_stats WHERE schemaname = 'public' AND histogram_bounds::text LIKE '%riginal%'"), "0");
    deepEqual(foundInFiles(originals), []);
  });

  test("a row that is not masked is found", () => {
    sql("INSERT INTO customers VALUES (0, 'Eve', 'eve@original.test')");
    const state = run(hooksOf("post-create").find(({ name }) => name === "nothing-unmasked") ?? {});
    match(state.kind === "ended" ? state.output : "", /1 customers are not masked/u);
    equal(state.kind === "ended" && state.exitCode, 3);
  });
});
