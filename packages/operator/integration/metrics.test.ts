/**
 * What the operator tells Prometheus of databases, actions and DCT, and that the alerts, the dashboard and the documentation speak of
 * nothing else.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type ActionKind, isFinished, postgresTask, resourceOf } from "@vdb/api";
import { dashboard } from "../dashboard.ts";
import { type CollectedSpan, startCollector } from "./testing/collector.ts";
import { deleteVdb, forever, healthy, vdbs } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";
import { until } from "./testing/until.ts";

const root = join(import.meta.dirname, "../../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const isOurs = (name: string): boolean => name.startsWith("delphix_") || name.startsWith("kube_runtime_");
const familyNames = (text: string): readonly string[] => [...text.matchAll(/^# TYPE (\w+) /gmu)].map(([, name = ""]) => name);
/** The engine's metrics by its source: a test of the engine shows that it serves them. */
const engineNames = [...read("packages/engine/src/metrics.ts").matchAll(/"(delphix_engine_\w+)"/gu)].map(([, name = ""]) => name);

const collector = await startCollector();
after(async () => await collector[Symbol.asyncDispose]());

describe("metrics and traces", { timeout: 120_000 }, () => {
  const stage = setStage("shop", [`--otlp-endpoint=${collector.endpoint}`]);
  const sample = (line: string): number | undefined => {
    const found = stage.operator
      .metricsText()
      .split("\n")
      .find((one) => one.startsWith(`${line} `));
    return found === undefined ? undefined : Number(found.slice(line.length + 1));
  };
  const untilSample = async (line: string, wanted: (value: number) => boolean): Promise<number> =>
    await until(line, () => {
      const value = sample(line);
      if (value === undefined || !wanted(value)) throw new Error(`${line} is ${value}`);
      return value;
    });
  const runTask = async (name: string, exit: number): Promise<void> => {
    stage.operator.answer = ({ command }) => (command[3] === "hook" ? { stdout: `exit ${exit}\n` } : healthy());
    const resource = resourceOf<ActionKind>(postgresTask);
    const manifest = { metadata: { namespace: "shop", name }, spec: { targetRef: { name: "orders" }, content: "SELECT 1" } };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- defaults are the API server's
    await stage.client.apply(resource, manifest as never, { fieldManager: "user", force: true }, forever);
    await until(`task ${name}`, async () => isFinished(await stage.client.get(resource, { namespace: "shop", name }, forever)));
  };

  before(async () => {
    stage.operator.answer = ({ command }) => (command[3] === "hook" ? { stdout: "exit 0\n" } : healthy());
    await stage.readyDatabase("shop", { hooks: [{ name: "mask", stage: "post-create", script: "SELECT 1" }] });
  });

  test("a database tells its phase, its hooks, and how old its data is", async () => {
    const orders = 'namespace="shop",name="orders"';
    await untilSample(`delphix_vdb_phase{${orders},phase="Ready"}`, (value) => value === 1);
    equal(
      stage.operator
        .metricsText()
        .split("\n")
        .filter((line) => line.startsWith(`delphix_vdb_phase{${orders}`)).length,
      1,
    );
    await untilSample(`delphix_vdb_hooks{${orders},outcome="Succeeded"}`, (value) => value === 1);
    const age = (Date.now() - Date.parse(stage.dct.takenAt)) / 1000;
    await untilSample(`delphix_vdb_data_age_seconds{${orders}}`, (value) => Math.abs(value - age) < 60);
    await untilSample("delphix_vdb_first_ready_seconds_count", (value) => value === 1);
    await untilSample('delphix_phase_seconds_count{kind="PostgresVDB",phase="Deploying"}', (value) => value >= 1);
    equal(sample('delphix_phase_seconds_count{kind="PostgresVDB",phase="Ready"}'), undefined, "it rests there");
  });

  test("its bytes are those that DCT counts", async () => {
    const { status } = await stage.client.get(vdbs, { namespace: "shop", name: "orders" }, forever);
    stage.dct.sizes.set(status.delphixID ?? "", { own: 4096, seen: 1_000_000 });
    await untilSample('delphix_vdb_own_bytes{namespace="shop",name="orders"}', (value) => value === 4096);
    equal(sample('delphix_vdb_shared_bytes{namespace="shop",name="orders"}'), 995_904);
  });

  test("actions are counted by their kind and end, from zero on", async () => {
    equal(sample('delphix_actions_ended_total{kind="VDBRefresh",result="Error"}'), 0, "the first failure is an increase");
    await runTask("good", 0);
    await untilSample('delphix_actions_ended_total{kind="PostgresTask",result="Completed"}', (value) => value === 1);
    await runTask("bad", 3);
    await untilSample('delphix_actions_ended_total{kind="PostgresTask",result="Error"}', (value) => value === 1);
    equal(sample('delphix_action_seconds_count{kind="PostgresTask"}'), 2);
    ok((sample('delphix_phase_seconds_count{kind="PostgresTask",phase="Running"}') ?? 0) >= 1);
  });

  test("from apply to Ready is one trace: a span for each phase, one after the other, and a note for each condition", async () => {
    const whole = await untilSpan("PostgresVDB create");
    deepEqual(whole.attributes.slice(0, 3), [
      { key: "k8s.namespace.name", value: { stringValue: "shop" } },
      { key: "delphix.kind", value: { stringValue: "PostgresVDB" } },
      { key: "delphix.name", value: { stringValue: "orders" } },
    ]);
    const phases = childrenOf(whole);
    const names = phases.map(({ name }) => name);
    ok(
      ["Provisioning", "Configuring", "Deploying"].every((phase) => names.includes(phase)) && !names.includes("Ready"),
      names.join(),
    );
    for (const [at, phase] of phases.entries())
      if (at > 0) equal(phase.startTimeUnixNano, phases[at - 1]?.endTimeUnixNano, phase.name);
    equal(phases.at(-1)?.endTimeUnixNano, whole.endTimeUnixNano);
    const noted = new Set(whole.events?.map(({ name }) => name));
    ok(
      ["Provisioned", "Configured", "Deployed", "HooksSucceeded", "Ready"].every((type) => noted.has(type)),
      [...noted].join(),
    );
    equal(whole.status.code ?? 0, 0);
  });

  test("an action that failed is a trace that failed, with the reason", async () => {
    const [failed, good] = [
      await untilSpan("PostgresTask create", (span) => nameIn(span) === "bad"),
      await untilSpan("PostgresTask create", (span) => nameIn(span) === "good"),
    ];
    equal(failed.status.code, 2);
    match(failed.status.message ?? "", /^\w+$/u);
    equal(good.status.code ?? 0, 0);
    ok(childrenOf(good).some(({ name }) => name === "Running"));
  });

  test("the caches tell how long the API server has been silent", () => {
    const seconds = sample('kube_runtime_cache_silent_seconds{resource="postgresvdbs.core.delphix.com"}');
    ok(seconds !== undefined && seconds < 120, String(seconds));
  });

  test("alerts and dashboard ask for what is served, and the page on metrics has a row for each", () => {
    const served = new Set([...familyNames(stage.operator.metricsText()), "leader_election_master_status", ...engineNames]);
    const alerts = read("charts/delphix-operator/files/alerts.yaml");
    const asked = new Set<string>();
    for (const text of [...alerts.matchAll(/^ +expr: (?:\|\n((?: {10}.*\n)+)|(.*))$/gmu)].map(
      ([, block, line]) => block ?? line ?? "",
    ))
      for (const name of namesIn(text)) asked.add(name);
    ok(asked.size > 8, `${asked.size} metrics in the alerts`);
    const inAlerts = asked.size;
    for (const panel of dashboard.panels ?? [])
      for (const target of "targets" in panel ? (panel.targets ?? []) : [])
        for (const name of namesIn(String(target["expr"]))) asked.add(name);
    ok(asked.size > inAlerts, "the dashboard asks for more");
    deepEqual(
      [...asked].filter((name) => !served.has(name)),
      [],
      "asked for, but not served",
    );
    const rows = [...read("docs/metrics.md").matchAll(/^\| `([a-z]\w+)` \|/gmu)].map(([, name = ""]) => name);
    deepEqual(rows.filter(isOurs).toSorted(), [...served].filter(isOurs).toSorted());
    deepEqual(
      rows.filter((name) => !isOurs(name) && !served.has(name)),
      [],
    );
  });

  test("the page on metrics has a row for each alert, and no other", () => {
    const names = [...read("charts/delphix-operator/files/alerts.yaml").matchAll(/- alert: (\w+)/gu)].map(
      ([, name = ""]) => name,
    );
    const rows = [...read("docs/metrics.md").matchAll(/^\| `(Delphix\w+)` \|/gmu)].map(([, name = ""]) => name);
    deepEqual(rows.toSorted(), names.toSorted());
    match(names.join(), /DelphixDatabaseFailed/u);
  });

  test("a database that is gone is not told any more", async () => {
    await deleteVdb(stage.client, "shop", "orders");
    await until("no sample", () => !stage.operator.metricsText().includes('name="orders"'));
  });
});

const nameIn = ({ attributes }: CollectedSpan): string | undefined =>
  attributes.find(({ key }) => key === "delphix.name")?.value.stringValue;
const untilSpan = async (name: string, wanted: (span: CollectedSpan) => boolean = () => true): Promise<CollectedSpan> =>
  await until(`span ${name}`, () => collector.spans.find((span) => span.name === name && wanted(span)));
/** In the order in which they ended, for that is how they are sent. */
const childrenOf = ({ traceId, spanId }: CollectedSpan): readonly CollectedSpan[] =>
  collector.spans.filter((span) => span.traceId === traceId && span.parentSpanId === spanId);

/** The metrics that a query names; of a histogram the family. */
function namesIn(query: string): readonly string[] {
  const plain = query.replaceAll(/"[^"]*"/gu, '""').replaceAll(/\{[^}]*\}/gu, "");
  const known = /\b(?:delphix|kube_runtime|workqueue|controller_runtime|leader_election|rest_client)_\w+/gu;
  return [...plain.matchAll(known)].map(([name]) => name.replace(/_(?:bucket|sum|count)$/u, ""));
}
