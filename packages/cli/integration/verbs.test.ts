/** The verbs on a real API server with the operator at work, as users with and without rights. What pods run and DCT are played. */
import { deepEqual, equal, match } from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { before, describe, test } from "node:test";
import { promisify } from "node:util";
import { postgresTask, resourceOf, vdbSnapshot } from "@vdb/api";
import { forever, healthy, setStage, vdbs } from "@vdb/operator/testing";
import { kubeconfigConnection } from "kube-runtime";
import { runCli } from "../src/cli.ts";
import { testWorld } from "../src/testing/world.ts";
import type { World } from "../src/world.ts";
import { giveRights } from "./testing/users.ts";

const namespace = "shop";

/** The phases that were told, without their seconds. */
const phasesOf = (stderr: string): string[] => [...stderr.matchAll(/^ +\d+\.\d s {2}(.*)$/gmu)].map(([, label = ""]) => label);

describe("kubectl vdb", { timeout: 300_000 }, () => {
  const stage = setStage(namespace);

  before(async () => {
    const { status } = await stage.readyDatabase(namespace);
    stage.dct.replaceData(status.delphixID ?? "", "first"); // the played DCT names no timeflow of what it has not made itself
    await giveRights(stage.client, namespace);
  });

  /** What kubectl was asked for, without the flags that say where; it prints what a test says. */
  const asked: string[] = [];
  const kubectl = { log: "" };
  const note = (words: readonly string[]): void => void asked.push(words.join(" ").replace(" -n shop --as developer", ""));

  const worldOf = (parts: Partial<World>) =>
    testWorld(() => kubeconfigConnection(stage.kubeconfig, undefined), { random: Math.random, ...parts });

  const as = async (user: string, ...words: readonly string[]) => {
    const world = worldOf({
      kubectl: {
        run: async (given) => {
          note(given);
          return 7;
        },
        read: async (given) => {
          note(given);
          return kubectl.log;
        },
        forward: async (given) => {
          note(["forward", ...given]);
          return { port: 7, [Symbol.asyncDispose]: async () => note(["close"]) };
        },
      },
      runLocal: async (program, given, { PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD = "asked" }) => {
        note([program, ...given, `${PGUSER}:${PGPASSWORD}@${PGHOST}:${PGPORT}/${PGDATABASE}`]);
        return 3;
      },
    });
    const [own, rest] = words.includes("--")
      ? [words.slice(0, words.indexOf("--")), words.slice(words.indexOf("--"))]
      : [words, []];
    const exitCode = await runCli([...own, "-n", namespace, "--as", user, ...rest], world);
    return { exitCode, stdout: world.stdout.written(), stderr: world.stderr.written() };
  };

  const complete = async (...words: readonly string[]): Promise<string> => {
    const world = worldOf({});
    await runCli(["__complete", ...words], world);
    return world.stdout.written() + world.stderr.written();
  };

  test("a viewer sees databases and how they are", async () => {
    const list = await as("viewer", "list");
    deepEqual([list.exitCode, list.stderr], [0, ""]);
    match(list.stdout, /^NAME +PHASE +DATA AGE +OWN +PARENT +AGE\norders +Ready +\d+d +- +delphix-engine:production +\d+s\n$/u);
    equal((await as("viewer", "list", "-o", "name")).stdout, "postgresvdb.core.delphix.com/orders\n");
    const status = await as("viewer", "status", "orders");
    deepEqual([status.exitCode, status.stderr], [0, ""]);
    match(status.stdout, /^PostgresVDB shop\/orders: Ready\n/u);
    match(status.stdout, / {2}ok +SourceResolved /u);
    match(status.stdout, /query it +kubectl vdb psql orders -n shop --as viewer/u);
  });

  test("a viewer who wants to change something is told the right that is missing, and nothing changes", async () => {
    for (const [words, verb, resource] of [
      [["snapshot", "orders"], "create", "vdbsnapshots.actions.delphix.com"],
      [["refresh", "orders"], "create", "vdbrefreshes.actions.delphix.com"],
      [["plan", "rewind", "orders"], "create", "vdbrewinds.actions.delphix.com"],
      [["run", "orders", "SELECT 1"], "create", "postgrestasks.actions.delphix.com"],
      [["stop", "orders"], "patch", "postgresvdbs.core.delphix.com"],
    ] as const) {
      const { exitCode, stdout, stderr } = await as("viewer", ...words);
      deepEqual([exitCode, stdout], [1, ""]);
      match(stderr, new RegExp(`^error: viewer may not ${verb} ${resource} in namespace shop\\n`, "u"));
      match(stderr, new RegExp(`missing: verb ${verb} on ${resource} in namespace shop\\n.*role edit contains it`, "u"));
    }
    equal((await stage.client.list(resourceOf(vdbSnapshot), { namespace }, forever)).items.length, 0);
    equal((await stage.client.get(vdbs, { namespace, name: "orders" }, forever)).spec.enabled, true);
  });

  test("who may not see anything is told so, whether it exists or not", async () => {
    const there = await as("stranger", "status", "orders");
    const absent = await as("stranger", "status", "nothing");
    deepEqual(there, absent);
    match(there.stderr, /^error: stranger may not get postgresvdbs\.core\.delphix\.com in namespace shop\n/u);
    match((await as("stranger", "list")).stderr, /^error: stranger may not list .* in namespace shop\n/u);
    match(
      (await as("viewer", "list", "-A")).stderr,
      /^error: viewer may not list .* in all namespaces\n.*\n.*name it: -n NAMESPACE\n$/u,
    );
  });

  test("a name that does not exist is answered with those that do", async () => {
    const { exitCode, stderr } = await as("viewer", "status", "oders");
    equal(exitCode, 1);
    equal(stderr, "error: there is no PostgresVDB oders in namespace shop\n  there are: orders\n");
  });

  test("snapshot, refresh, undo and rewind are followed to their end", async () => {
    const snapshot = await as("developer", "snapshot", "orders");
    deepEqual([snapshot.exitCode, phasesOf(snapshot.stderr).at(-1)], [0, "Completed"]);
    const [, id = ""] = /kubectl vdb rewind orders --snapshot (\S+) -n shop --as developer\n$/u.exec(snapshot.stdout) ?? [];
    equal((await as("developer", "undo", "orders")).exitCode, 1, "nothing was replaced yet");
    const refresh = await as("developer", "refresh", "orders", "--name", "newer");
    deepEqual(
      [refresh.exitCode, phasesOf(refresh.stderr)],
      [0, ["Pending", "PreRefresh", "Stopping", "Refreshing", "Starting", "PostRefresh", "Finalizing", "Completed"]],
    );
    match(
      refresh.stdout,
      /^VDBRefresh shop\/newer has completed in \d+s\n {2}data of snapshot .*\n {2}to undo it within 24h: kubectl vdb undo orders/u,
    );
    const undo = await as("developer", "undo", "orders", "-o", "name");
    equal(undo.exitCode, 0, undo.stderr);
    match(undo.stdout, /^vdbrewind\.actions\.delphix\.com\/orders-undo-\w{5}\n$/u);
    equal((await as("developer", "rewind", "orders", "--snapshot", id)).exitCode, 0);
    const unknown = await as("developer", "rewind", "orders", "--snapshot", "nothing");
    deepEqual([unknown.exitCode, unknown.stdout], [1, ""]);
    match(unknown.stderr, /^error: VDBRewind shop\/orders-rewind-\w+ has failed: .*nothing/mu);
  });

  test("a plan changes nothing, holds the action to it, and is told where it does not", async () => {
    const untouched = (await stage.client.get(vdbs, { namespace, name: "orders" }, forever)).status;
    const plan = await as("developer", "plan", "refresh", "orders");
    deepEqual([plan.exitCode, phasesOf(plan.stderr).at(-1)], [0, "Completed"], plan.stderr);
    match(plan.stdout, /^The refresh of PostgresVDB shop\/orders\n {2}phases +PreRefresh, Stopping, /u);
    match(plan.stdout, /\n {2}downtime +about \d+ s, the median of the last \d\n/u);
    deepEqual((await stage.client.get(vdbs, { namespace, name: "orders" }, forever)).status.content, untouched.content);
    const [, name = ""] = / --plan (\S+) -n shop --as developer, and the same flags\n$/u.exec(plan.stdout) ?? [];
    const deed = await as("developer", "refresh", "orders", "--plan", name);
    equal(deed.exitCode, 0, deed.stderr);
    const stale = await as("developer", "refresh", "orders", "--plan", name);
    equal(stale.exitCode, 1);
    match(stale.stderr, /has failed: plan orders-plan-\w+ does not hold any more: the database has had other data since/u);
    const blocked = await as("developer", "plan", "rewind", "orders", "--snapshot", "nothing");
    equal(blocked.exitCode, 1);
    match(blocked.stdout, /\n {2}in the way +SnapshotNotFound: there is no dct-snapshot nothing; /u);
    const deletion = await as("viewer", "plan", "delete", "orders");
    match(
      deletion.stdout,
      /^The deletion of PostgresVDB shop\/orders\n {2}data +claim orders-\w+ and its VDB in DCT are deleted\n/u,
    );
    match(deletion.stderr, /^note: without copies in other namespaces: viewer may not list/u);
    match((await as("stranger", "plan", "delete", "orders")).stderr, /^error: stranger may not get postgresvdbs/u);
  });

  test("extend renews an expiry, and says where there is none", async () => {
    const none = await as("developer", "extend", "orders", "8h");
    match(none.stderr, /^error: PostgresVDB shop\/orders never expires: it has no spec\.expiry\n/u);
    const key = { namespace, name: "orders" };
    await stage.client.patch(vdbs, key, { spec: { expiry: { at: "2030-01-31T18:00:00Z", action: "Stop" } } }, forever);
    equal((await as("viewer", "extend", "orders", "8h")).exitCode, 1);
    const told = await as("developer", "extend", "orders", "8h");
    deepEqual([told.exitCode, told.stdout], [0, "PostgresVDB shop/orders expires at 2030-02-01T02:00:00Z: it is stopped then\n"]);
    equal((await stage.client.get(vdbs, key, forever)).spec.expiry?.at, "2030-02-01T02:00:00Z");
    await stage.client.patch(vdbs, key, { spec: { expiry: null } }, forever);
  });

  test("run prints what the text prints, and ends as it ended", async () => {
    const answer = (stdout: string): void => {
      stage.operator.answer = ({ command }) => (command[3] === "hook" ? { stdout } : healthy());
    };
    answer("exit 0\n one \n-----\n   1\n(1 row)");
    const { exitCode, stdout } = await as("developer", "run", "orders", "SELECT 1 AS one");
    deepEqual([exitCode, stdout], [0, " one \n-----\n   1\n(1 row)\n"]);
    const tasks = await stage.client.list(resourceOf(postgresTask), { namespace }, forever);
    deepEqual(
      tasks.items.map(({ spec }) => [spec.type, spec.content, spec.ttlSecondsAfterFinished]),
      [["sql", "SELECT 1 AS one", 3600]],
    );
    answer("exit 7\nno such file");
    const failed = await as("developer", "run", "orders", "--command", "cat /nowhere");
    deepEqual([failed.exitCode, failed.stdout], [7, "no such file\n"]);
    match(failed.stderr, /error: PostgresTask .* has failed: the command failed with exit code 7/u);
  });

  test("stop and start are followed until the database is there", async () => {
    const stop = await as("developer", "stop", "orders");
    deepEqual([stop.exitCode, stop.stdout], [0, "PostgresVDB shop/orders is stopped\n"]);
    match((await as("viewer", "status", "orders")).stdout, /start it +kubectl vdb start orders -n shop/u);
    const start = await as("developer", "start", "orders");
    deepEqual([start.exitCode, start.stdout, phasesOf(start.stderr).at(-1)], [0, "PostgresVDB shop/orders is ready\n", "Ready"]);
  });

  test("wait tells by its exit code", async () => {
    equal((await as("viewer", "wait", "orders")).exitCode, 0);
    equal((await as("viewer", "wait", "vdbrefresh/newer")).exitCode, 0);
    equal((await as("viewer", "wait", "orders", "--for=phase=Stopped", "--timeout=300ms")).exitCode, 124);
    equal((await as("viewer", "wait", "nothing", "--for=deleted")).exitCode, 0);
    equal((await as("viewer", "wait", "vdbrefresh/nothing")).exitCode, 1);
  });

  test("psql is opened in the pod by kubectl, for who may exec", async () => {
    const pod = await stage.podNames(namespace);
    deepEqual((await as("developer", "psql", "orders", "--", "-c", "SELECT 1")).exitCode, 7, "psql's own");
    deepEqual(asked, [`exec -i ${pod} -c postgres -- psql -c SELECT 1`]);
    const refused = await as("viewer", "psql", "orders");
    equal(refused.exitCode, 1);
    match(refused.stderr, /^error: viewer may not create pods\/exec in namespace shop\n.*\n.*role edit contains it/u);
    match((await as("stranger", "psql", "orders")).stderr, /^error: stranger may not get postgresvdbs/u);
  });

  test("psql --tcp goes by a port-forward, with the password of who may read it", async () => {
    asked.length = 0;
    equal((await as("developer", "psql", "orders", "--tcp", "--", "-c", "SELECT 1")).exitCode, 3, "psql's own");
    deepEqual(asked, ["forward svc/orders :5432", "psql -c SELECT 1 postgres:a-good-password@127.0.0.1:7/postgres", "close"]);
    match(
      (await as("viewer", "psql", "orders", "--tcp")).stderr,
      /^error: viewer may not create pods\/portforward in namespace shop\n/u,
    );
  });

  test("a report has what the user may see, says what it has not, and has no password", async () => {
    kubectl.log = `${new Date().toISOString()} LOG:  statement: ALTER ROLE app PASSWORD 'hunter22'\n`;
    const { exitCode, stdout, stderr } = await as("developer", "report", "orders");
    deepEqual([exitCode, stderr], [0, ""]);
    const titles = [...stdout.matchAll(/^==== (.*)$/gmu)].map(([, title = ""]) => title);
    deepEqual(titles.slice(1), [
      "what databases need",
      "PostgresVDB",
      "actions",
      "Deployment and Service",
      "claims",
      "pods",
      "VolumeSnapshots",
      "what has happened",
      "what is not in this report",
    ]);
    match(stdout, /^kind: PostgresVDB$/mu);
    match(stdout, /statement: ALTER ROLE app PASSWORD \(redacted\)/u);
    equal(/hunter22|a-good-password/u.test(stdout), false);
    match(
      stdout,
      /==== what is not in this report\nnote: without the logs of operator, driver and engine: developer may not list pods in all namespaces/u,
    );
    match((await as("stranger", "report", "orders")).stderr, /^error: stranger may not get postgresvdbs/u);
  });

  test("logs tells one story, and of what it leaves out why", async () => {
    kubectl.log = `${new Date().toISOString()} LOG:  database system is ready to accept connections\n`;
    const { exitCode, stdout, stderr } = await as("developer", "logs", "orders");
    equal(exitCode, 0);
    match(stdout, /Z {2}action {4}VDBRefresh newer: Stopping, step /u);
    match(stdout, /Z {2}action {4}VDBRefresh newer: Completed\n/u);
    match(stdout, /Z {2}event {5}PostgresVDB orders: /u);
    match(stdout, /Z {2}postgres {2}LOG: {2}database system is ready/u);
    match(stdout, /Z {2}hook {6}PostgresTask orders-run-\w+ attempt-1: Succeeded, exit code 0/u);
    equal(stderr, "note: without the logs of operator, driver and engine: developer may not list pods in all namespaces\n");
    const moments = [...stdout.matchAll(/^\S+Z/gmu)].map(([moment]) => moment);
    deepEqual(moments, moments.toSorted());
  });

  test("tree shows what is a copy of what", async () => {
    const { exitCode, stdout, stderr } = await as("viewer", "tree");
    deepEqual([exitCode, stderr], [0, ""]);
    match(stdout, /^delphix-engine:production\n└─ shop\/orders {2}Ready, data \d+d old\n$/u);
  });

  test("doctor says what is there, what is not, and what may not be looked at", async () => {
    const developer = await as("developer", "doctor");
    match(developer.stdout, /^ok +definition postgresvdbs +core\.delphix\.com\/v1alpha1 is served\n/u);
    match(developer.stdout, /^unknown +operator +developer may not list deployments\.apps in all namespaces\n/mu);
    match(developer.stdout, /^ok +DCT +it has answered/mu);
    match(developer.stdout, /^ok +right create +vdbrefreshes\.actions\.delphix\.com in namespace shop\n/mu);
    equal(developer.exitCode, 0);
    match((await as("viewer", "doctor")).stdout, /^note +right create +not on vdbrefreshes.*role edit contains it/mu);
    const admin = await as("admin", "doctor"); // impersonated without its group: as any stranger
    match(admin.stdout, /^unknown +definition postgresvdbs +admin may not list/u);
  });

  test("completion asks the cluster for names, and says nothing where it may not", async () => {
    equal(await complete("-n", namespace, "refresh", ""), "orders\n:4\n");
    equal(await complete("-n", namespace, "--as", "stranger", "refresh", ""), ":4\n");
  });

  test("kubectl finds the program on PATH, and it needs nothing beside it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kubectl-vdb-"));
    try {
      await promisify(execFile)("node", [join(import.meta.dirname, "../build.ts"), folder]);
      const env = { ...process.env, KUBECONFIG: stage.kubeconfig, PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}` };
      const run = (...words: readonly string[]) => promisify(execFile)("kubectl", ["vdb", ...words], { env, cwd: folder });
      equal((await run("list", "-A", "-o", "name")).stdout, "postgresvdb.core.delphix.com/orders\n");
      const refused = await run("list", "-n", namespace, "--as", "stranger").catch((error: unknown) => error);
      match(String(refused), /stranger may not list/u);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
