/** Nobody sees data that its post-create hooks have not changed yet, whichever way they come and whoever dies meanwhile. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { eventually, items, type Json, portForward, testCluster, text, tryPsql, tryRun } from "@vdb/cluster";
import { killPods, livePods, operatorPods, podsOf } from "./pods.ts";
import { applyVdb, condition, deleteVdb, makePasswordSecret, setPasswordSecret, sqlInPod, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const namespace = "pg-operator";
const vdb = { name: "gated", namespace };
const port = 5432;
const masked = (hook: string) => ({ ...vdb, spec: { hooks: [{ name: "mask", stage: "post-create", script: hook }] } });
/** Waits for the test, however slow that is: a hook that sleeps for a time may be done before all ways in were tried. */
const untilTold =
  "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_class WHERE relname = 'go_on') LOOP PERFORM pg_sleep(0.1); END LOOP; END $$;";
const mask = "UPDATE pgbench_tellers SET filler = 'masked';";
/** The rows that are still production's. */
const unmasked = "SELECT count(*) FROM pgbench_tellers WHERE filler IS DISTINCT FROM 'masked'";

const hook = (object: Json | undefined, name: string): Json | undefined =>
  items(object, "status", "hooks").find((one) => text(one, "name") === name);

async function hookIs(outcome: string): Promise<void> {
  await eventually(`the hook is ${outcome}`, 180, async () => {
    const found = hook(await kubectl.get("postgresvdb", vdb.name, namespace), "mask");
    if (text(found, "outcome") === outcome) return true;
    throw new Error(JSON.stringify(found));
  });
}

async function podOf(): Promise<Json | undefined> {
  return (await livePods(kubectl, podsOf(vdb))).find((pod) => text(pod, "status", "podIP") !== "");
}

/** What a client hears who asks for the unmasked rows, by one way in. */
interface Answer {
  readonly way: string;
  readonly letIn: boolean;
  readonly said: string;
}

async function fromAPod(way: string, host: string, password: string): Promise<Answer> {
  const connection = `host=${host} port=${port} user=postgres dbname=postgres connect_timeout=10`;
  const { exitCode, stdout, stderr } = await tryPsql(kubectl, connection, password, unmasked);
  return { way, letIn: exitCode === 0, said: (stdout || stderr).trim() };
}

async function byForwardToPod(pod: string, password: string): Promise<Answer> {
  await using forward = await portForward(kubectl, namespace, `pod/${pod}`, port);
  const { exitCode, stdout, stderr } = await tryRun(
    "psql",
    ["-h", "127.0.0.1", "-p", String(forward.port), "-U", "postgres", "-d", "postgres", "-XqAtc", unmasked],
    { env: { PGPASSWORD: password, PGCONNECT_TIMEOUT: "10" } },
  );
  return { way: "port-forward to the pod", letIn: exitCode === 0, said: (stdout || stderr).trim() };
}

/** It leads to a pod as soon as it listens, and then goes on until it is ended. */
async function byForwardToService(): Promise<Answer> {
  const args = [
    "port-forward",
    "-n",
    namespace,
    `svc/${vdb.name}`,
    `:${port}`,
    "--address=127.0.0.1",
    "--pod-running-timeout=1s",
  ];
  const listening = new AbortController();
  const signal = AbortSignal.any([listening.signal, AbortSignal.timeout(20_000)]);
  const { stdout, stderr } = await kubectl.try(args, { signal, onLine: () => listening.abort() });
  return { way: "port-forward to the Service", letIn: stdout.includes("Forwarding"), said: (stdout || stderr).trim() };
}

/** Tries every way there is just now; one that breaks off is a way that did not lead in. */
async function everyWay(password: string): Promise<readonly Answer[]> {
  const pod = await podOf();
  const ways = [fromAPod("Service", `${vdb.name}.${namespace}.svc`, password), byForwardToService()];
  if (pod !== undefined)
    ways.push(
      fromAPod("the pod's address", text(pod, "status", "podIP"), password),
      byForwardToPod(text(pod, "metadata", "name"), password),
    );
  const answers = await Promise.allSettled(ways);
  return answers.map((one) =>
    one.status === "fulfilled" ? one.value : { way: "broken off", letIn: false, said: String(one.reason) },
  );
}

describe("the gate", { timeout: 1_200_000 }, () => {
  let password = "";
  /** Every answer since the database was applied. */
  const heard: Answer[] = [];
  const watching = new AbortController();
  let watch: Promise<void> = Promise.resolve();

  const shutTo = async (): Promise<void> => {
    const answers = await everyWay(password);
    heard.push(...answers);
    deepEqual(
      answers.filter(({ letIn }) => letIn),
      [],
    );
  };

  before(async () => {
    password = await makePasswordSecret(kubectl, vdb);
  });
  after(async () => {
    watching.abort();
    await watch;
    await deleteVdb(kubectl, vdb);
  });

  test("while the masking runs, no way leads in, though the server is up and the password is set", async () => {
    await applyVdb(kubectl, masked(`SELECT pg_sleep(3600); ${mask}`)); // until the next test interrupts it
    watch = (async () => {
      while (!watching.signal.aborted) heard.push(...(await everyWay(password)));
    })();
    await hookIs("Running");
    await shutTo();
    await shutTo();
    const object = await kubectl.get("postgresvdb", vdb.name, namespace);
    deepEqual([text(hook(object, "mask"), "outcome"), text(object, "status", "phase")], ["Running", "Deploying"]);
    equal(await sqlInPod(kubectl, vdb, unmasked), "100", "the data is not masked yet: else this proves nothing");
    const pod = (await everyWay(password)).find(({ way }) => way === "the pod's address");
    match(pod?.said ?? "", /no pg_hba\.conf entry/u, "it is the gate that keeps clients out");
  });

  test("its pod deleted under it, it is interrupted, and the new pod's gate is shut", async () => {
    const pod = text(await podOf(), "metadata", "name");
    await kubectl.run(["delete", "pod", pod, "-n", namespace, "--timeout=180s"]);
    const object = await waitForPhase(kubectl, vdb, "Error");
    equal(condition(object, "HooksSucceeded")?.reason, "HookInterrupted");
    await shutTo();
  });

  test("a hook that fails after it has masked some keeps it shut", async () => {
    await applyVdb(kubectl, masked(`UPDATE pgbench_tellers SET filler = 'masked' WHERE tid = 1; SELECT 1/0;`));
    await hookIs("Failed");
    match(condition(await waitForPhase(kubectl, vdb, "Error"), "HooksSucceeded")?.message ?? "", /division by zero/u);
    await shutTo();
  });

  test("changed while it runs, it is ended, and its successor masks; the operator killed under that, it is done once", async () => {
    await applyVdb(kubectl, masked(`SELECT pg_sleep(3600); UPDATE pgbench_tellers SET filler = 'from the former';`));
    await hookIs("Running");
    await applyVdb(kubectl, masked(`${untilTold} CREATE TABLE runs AS SELECT 1; ${mask}`));
    const sleeping = "SELECT string_agg(query, ' ') FROM pg_stat_activity WHERE application_name LIKE 'delphix-run %'";
    await eventually("its successor runs", 120, async () =>
      (await sqlInPod(kubectl, vdb, sleeping)).includes("go_on") ? true : undefined,
    );
    equal((await sqlInPod(kubectl, vdb, sleeping)).includes("pg_sleep(3600)"), false, "not beside the former");
    await killPods(kubectl, operatorPods);
    await shutTo();
    await sqlInPod(kubectl, vdb, "CREATE TABLE go_on ()");
    await waitForPhase(kubectl, vdb, "Ready", 180);
    equal(text(hook(await kubectl.get("postgresvdb", vdb.name, namespace), "mask"), "outcome"), "Succeeded");
    equal(await sqlInPod(kubectl, vdb, "SELECT count(*) FROM runs"), "1");
  });

  test("open, every way leads in, and nobody has ever seen a row that was not masked", async () => {
    await eventually("each way leads in", 120, async () => {
      const answers = await everyWay(password);
      heard.push(...answers);
      return answers.length === 4 && answers.every(({ letIn }) => letIn) ? true : undefined;
    });
    watching.abort();
    await watch;
    const seen = new Set(heard.filter(({ letIn, way }) => letIn && !way.endsWith("the Service")).map(({ said }) => said));
    deepEqual([...seen], ["0"]);
    const refused = heard.filter(({ letIn }) => !letIn).length;
    ok(refused > 20, `${refused} tries were refused before`);
    console.log(`${refused} tries were refused before the gate was open`);
  });

  test("deleted ConfigMap and Service come back open, and a changed hook does not run on live data", async () => {
    await applyVdb(kubectl, masked("DROP TABLE runs; SELECT 'on live data';"));
    await kubectl.run(["delete", `configmap/${vdb.name}-postgres-config`, `service/${vdb.name}`, "-n", namespace]);
    await eventually("the Service leads in again", 120, async () =>
      (await fromAPod("Service", `${vdb.name}.${namespace}.svc`, password)).letIn ? true : undefined,
    );
    await waitForPhase(kubectl, vdb, "Ready");
    equal(await sqlInPod(kubectl, vdb, "SELECT count(*) FROM runs"), "1");
  });
});

describe("the sample with hooks", { timeout: 300_000 }, () => {
  const sample = { name: "masked-vdb", namespace };
  after(async () => await deleteVdb(kubectl, sample));

  test("gets Ready with both of its hooks done", async () => {
    await setPasswordSecret(kubectl, namespace, "my-db-password", { password: "a-password-of-the-sample" });
    await kubectl.apply(readFileSync(new URL("../samples/postgresvdb-hooks.yaml", import.meta.url), "utf8"));
    const object = await waitForPhase(kubectl, sample, "Ready", 180);
    deepEqual(
      items(object, "status", "hooks").map((one) => [text(one, "name"), text(one, "outcome")]),
      [
        ["test-command-hook", "Succeeded"],
        ["mask-tellers", "Succeeded"],
      ],
    );
    match(text(hook(object, "test-command-hook"), "output"), /Hook executed at/u);
    equal(await sqlInPod(kubectl, sample, unmasked), "0");
    equal(condition(object, "HooksComplete")?.reason, "Complete");
  });
});
