import { deepEqual, equal, match } from "node:assert/strict";
import { describe, test } from "node:test";
import {
  ApiError,
  type ConfigMap,
  configMaps,
  type Deployment,
  deployments,
  type ExecRequest,
  type ExecResult,
} from "kube-runtime";
import { contentLabel, modeLabel } from "../names.ts";
import { desiredConfigMap } from "../objects/config-map.ts";
import { restartAnnotation } from "../objects/deployment.ts";
import { aPod, contentId, forever, type Given, healthy, meta, stepBench } from "../step-bench.ts";
import { aVdb } from "../testing.ts";
import { acceptSpec } from "./accept-spec.ts";
import { prepareDatabase } from "./prepare-database.ts";

const settings = "work_mem = '8MB'\n";

function aConfigMap(stored: string): ConfigMap {
  const { metadata, data } = desiredConfigMap(aVdb(), { contentId, gate: "shut", settings: stored });
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { ...meta("c"), ...metadata },
    ...(data === undefined ? {} : { data }),
  };
}
const template = { spec: { containers: [{ name: "postgres", image: "postgres:16.2" }] } };
const primary: Deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: meta("orders"),
  spec: { selector: {}, template },
};
const labels = { [contentLabel]: contentId, [modeLabel]: "Standby" };
const standby: Deployment = { ...primary, spec: { replicas: 1, selector: {}, template: { ...template, metadata: { labels } } } };
const stored = ["exec", "apply configmaps orders-postgres-config"];

interface Row {
  readonly name: string;
  readonly why: string;
  readonly answer: Partial<ExecResult> | Error;
  /** What the ConfigMap holds; the manifest's settings unless said. */
  readonly before?: string;
  readonly want: string;
  readonly writes: readonly string[];
}

const rows: readonly Row[] = [
  { name: "as declared", why: "nothing is written", answer: healthy(), want: "done", writes: ["exec"] },
  {
    name: "new settings that the server has taken",
    why: "they are stored after that: a pod that is moved must start with what it has started with before",
    answer: healthy(),
    before: "",
    want: "done",
    writes: stored,
  },
  {
    name: "settings that the server refuses",
    why: "those from before stay stored",
    answer: { exitCode: 10, stderr: "invalid value" },
    before: "",
    want: "terminal SettingRefused",
    writes: ["exec"],
  },
  {
    name: "no such role",
    why: "only a person knows which is meant",
    answer: healthy({ roleExists: false }),
    want: "terminal RoleNotFound",
    writes: ["exec"],
  },
  {
    name: "no such database",
    why: "only a person knows which is meant",
    answer: healthy({ databaseExists: false }),
    want: "terminal DatabaseNotFound",
    writes: ["exec"],
  },
  {
    name: "the server has not read its files yet",
    why: "the gate must not open on what is not in force",
    answer: healthy({ loaded: false }),
    want: "after Preparing",
    writes: ["exec"],
  },
  {
    name: "a setting that needs a restart",
    why: "the pod is made anew by its Deployment",
    answer: healthy({ pendingRestart: ["shared_buffers"] }),
    want: "waiting Preparing",
    writes: ["exec", "apply deployments orders"],
  },
  {
    name: "a statement that failed",
    why: "it may pass",
    answer: { exitCode: 1, stderr: "deadlock detected" },
    want: "after SqlFailed",
    writes: ["exec"],
  },
  {
    name: "a server that starts up",
    why: "it passes",
    answer: { exitCode: 12, stderr: "FATAL: the database system is starting up" },
    want: "after Unreachable",
    writes: ["exec"],
  },
  {
    name: "a pod that cannot be asked",
    why: "it may be about to go",
    answer: new ApiError({ kind: "unavailable" }, "connection refused"),
    want: "after Unreachable",
    writes: ["exec"],
  },
];

const password = { kind: "known", value: "a-good-password" } as const;

async function bench({
  answer,
  before = settings,
  deployment = primary,
  ...given
}: Pick<Row, "answer" | "before"> & Pick<Given, "spec" | "status" | "deployment">) {
  const exec = (): Partial<ExecResult> => {
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const stdins: string[] = [];
  const heard = (request: ExecRequest): Partial<ExecResult> => {
    stdins.push(request.stdin ?? "");
    return exec();
  };
  const made = await stepBench({ ...given, exec: heard, configMap: aConfigMap(before), deployment });
  await made.client.create(configMaps, aConfigMap(before), forever);
  await made.client.create(deployments, deployment, forever);
  made.writes.length = 0;
  const running = { pod: aPod(), configMap: aConfigMap(before), settings, settingsCorrected: false, password };
  return { ...made, stdins, ctx: { ...made.ctx, ...running } };
}

const unseenSales = (said: string): string => `unseen: sales\tpsql: error: ${said}\n${healthy().stdout ?? ""}`;

describe("prepareDatabase", () => {
  for (const { name, why, want, writes, ...given } of rows)
    test(name, async () => {
      const { ctx, writes: written } = await bench(given);
      const outcome = await prepareDatabase.run(ctx, forever);
      equal([outcome.kind, ...(outcome.kind === "done" ? [] : [outcome.reason])].join(" "), want, why);
      deepEqual(written, writes, why);
    });

  test("what is in force in a container is not asked for again; another container is", async () => {
    const { ctx, writes } = await bench({ answer: healthy() });
    for (const pod of [aPod(), aPod(), aPod({ containerID: "containerd://2" })]) {
      equal((await prepareDatabase.run({ ...ctx, pod }, forever)).kind, "done");
    }
    deepEqual(writes, ["exec", "exec"]);
  });

  test("a restart is asked for once for the same settings in the same container", async () => {
    const { ctx, client, events } = await bench({ answer: healthy({ pendingRestart: ["shared_buffers"] }) });
    await prepareDatabase.run(ctx, forever);
    const written = await client.get(deployments, { namespace: "shop", name: "orders" }, forever);
    match(written.spec.template.metadata?.annotations?.[restartAnnotation] ?? "", /^[0-9a-f]{12}$/u);
    await prepareDatabase.run({ ...ctx, deployment: written }, forever);
    deepEqual(events, ["Restarting"]);
  });

  test("a restart waits while an action works on the database, which stays in service and says so", async () => {
    const { ctx, events, writes } = await bench({ answer: healthy({ pendingRestart: ["shared_buffers"] }) });
    const outcome = await prepareDatabase.run({ ...ctx, course: "asItRuns" }, forever);
    equal(outcome.kind, "done", "the action may wait for Ready: each would wait for the other");
    match(outcome.message ?? "", /action on the database has ended: shared_buffers/u);
    deepEqual([events, writes], [[], ["exec"]]);
    await prepareDatabase.run(ctx, forever);
    deepEqual(events, ["Restarting"], "with the turn's end it comes");
  });

  test("what the copy brought along is told, and kept told while nothing is asked", async () => {
    const { ctx, conditions } = await bench({ answer: healthy({ dropped: ["archive_command"] }) });
    await prepareDatabase.run(ctx, forever);
    deepEqual(
      conditions.map(({ type, status }) => [type, status]),
      [["HygieneApplied", "True"]],
    );
  });

  const cleans = /SET \(slot_name = NONE\)/u;
  const looks = /-- in each database/u;
  test("new data is cleaned before its hooks, once; another container is looked into, and not cleaned again", async () => {
    const { ctx, stdins } = await bench({ answer: healthy() });
    equal((await prepareDatabase.run(ctx, forever)).kind, "done");
    match(stdins[0] ?? "", cleans);
    equal(ctx.run.status.content?.cleanedTime, "2026-01-01T00:00:00Z");
    for (const pod of [aPod(), aPod({ containerID: "containerd://2" })]) await prepareDatabase.run({ ...ctx, pod }, forever);
    deepEqual(
      stdins.map((stdin) => [cleans.test(stdin), looks.test(stdin)]),
      [
        [true, true],
        [false, true],
      ],
    );
  });

  test("data whose role is not there is cleaned again when the manifest is corrected", async () => {
    const { ctx, stdins } = await bench({ answer: healthy({ roleExists: false }) });
    for (const _ of ["at first", "again"]) await prepareDatabase.run(ctx, forever);
    deepEqual([stdins.map((stdin) => cleans.test(stdin)), ctx.run.status.content?.cleanedTime], [[true, true], undefined]);
  });

  test("data that was open is not touched: what acts there is its users' own", async () => {
    const status = { content: { id: contentId, madeBy: "create", openedTime: "2026-01-01T00:00:00Z" } };
    const { ctx, stdins } = await bench({ answer: healthy(), status, spec: {} });
    await prepareDatabase.run(ctx, forever);
    deepEqual([cleans.test(stdins[0] ?? ""), looks.test(stdins[0] ?? "")], [false, true]);
  });

  test("a server that is to run pg_cron gets it when the source's jobs are switched off", async () => {
    const spec = {
      database: { password: "a-good-password" },
      postgresConfig: [{ name: "shared_preload_libraries", value: "pg_cron" }],
    };
    const { ctx } = await bench({ answer: healthy(), spec });
    const before = await acceptSpec.run(ctx, forever);
    equal(before.kind === "done" && before.found.settings, "shared_preload_libraries = ''\n");
    equal((await prepareDatabase.run(ctx, forever)).kind, "after", "its hooks do not run without");
    const behind = await acceptSpec.run(ctx, forever);
    equal(behind.kind === "done" && behind.found.settings, "shared_preload_libraries = 'pg_cron'\n");
  });

  test("a database that takes no session for the moment is asked again; one that never will is told", async () => {
    const passing = await bench({
      answer: { stdout: unseenSales('connection to server on socket "/run/.s" failed: FATAL:  sorry, too many clients already') },
    });
    equal((await prepareDatabase.run(passing.ctx, forever)).kind, "after");
    const lost = await bench({ answer: { stdout: unseenSales("server closed the connection unexpectedly") } });
    equal((await prepareDatabase.run(lost.ctx, forever)).kind, "after");
    const broken = await bench({
      answer: { stdout: unseenSales('connection to server on socket "/run/.s" failed: FATAL:  database locale is wrong') },
    });
    equal((await prepareDatabase.run(broken.ctx, forever)).kind, "done");
    match(broken.conditions[0]?.message ?? "", /not looked into them: sales \(database locale is wrong\)/u);
  });

  const opened = { content: { id: contentId, madeBy: "create", openedTime: "2026-01-01T00:00:00Z" } };
  const standbys: readonly {
    readonly name: string;
    readonly why: string;
    readonly says: object;
    readonly opened: boolean;
    readonly want: string;
  }[] = [
    {
      name: "a Standby with another password",
      why: "only a writable server stores one",
      says: { needsWriting: true },
      opened: true,
      want: "Preparing",
    },
    {
      name: "the same before it was open",
      why: "its gate was never open",
      says: { needsWriting: true },
      opened: false,
      want: "Primary",
    },
    {
      name: "a Standby that was promoted",
      why: "it starts again as one",
      says: { isStandby: false },
      opened: true,
      want: "Standby",
    },
  ];
  for (const { name, why, says, want, ...row } of standbys)
    test(`${name}: nobody is led to it, and its server starts again`, async () => {
      const spec = { mode: "Standby" };
      const answer = healthy({ isStandby: true, ...says });
      const { ctx, writes, client } = await bench({
        answer,
        spec,
        deployment: standby,
        ...(row.opened ? { status: opened } : {}),
      });
      const pod = aPod({}, { labels });
      const outcome = await prepareDatabase.run({ ...ctx, pod }, forever);
      equal(outcome.kind, "waiting", why);
      const written = await client.get(deployments, { namespace: "shop", name: "orders" }, forever);
      const { env = [] } = written.spec.template.spec.containers[0] ?? {};
      equal(env.find((one) => one.name === "VDB_MODE")?.value ?? "Primary", want, why);
      deepEqual(writes.slice(-2), ["apply services orders", "apply deployments orders"], "the gate shuts first");
    });

  test("another password of a Standby waits while an action works on it", async () => {
    const answer = healthy({ isStandby: true, needsWriting: true });
    const { ctx, writes } = await bench({ answer, spec: { mode: "Standby" }, status: opened, deployment: standby });
    const outcome = await prepareDatabase.run({ ...ctx, pod: aPod({}, { labels }), course: "asItRuns" }, forever);
    deepEqual([outcome.kind, writes.includes("apply deployments orders")], ["done", false]);
    match(outcome.message ?? "", /the password waits for a restart until the action on the database has ended/u);
  });
});
