import { deepEqual, equal, match } from "node:assert/strict";
import { describe, test } from "node:test";
import type { HookRun } from "@vdb/api";
import { ApiError, type ExecResult } from "kube-runtime";
import { scriptHash } from "../decide/decide-hook.ts";
import { aPod, contentId, forever, type Given, meta, stepBench } from "../step-bench.ts";
import { aVdb } from "../testing.ts";
import { runHooks } from "./run-hooks.ts";

const given = (more: object = {}) => ({ stage: "post-create", name: "mask", type: "sql", script: "SELECT 1", ...more });
const withHooks = (...hooks: readonly object[]) => ({ spec: { hooks } });
/** With the defaults of the schema. */
const [hook] = aVdb(withHooks(given())).spec.hooks ?? [];
if (hook === undefined) throw new Error("the manifest's hook was not decoded");

const pod = aPod();
const recordOf = (more: Partial<HookRun>): HookRun => ({
  stage: "post-create",
  name: "mask",
  contentId,
  scriptHash: scriptHash(hook),
  pod: pod.metadata.uid,
  outcome: "Running",
  startTime: "2026-01-01T00:00:00Z",
  ...more,
});
const ended = (code: number, output = ""): Partial<ExecResult> => ({ stdout: `exit ${code}\n${output}` });

interface Row {
  readonly name: string;
  readonly why: string;
  readonly given?: Given;
  readonly answers?: readonly (Partial<ExecResult> | Error)[];
  readonly want: string;
  readonly writes: readonly string[];
  readonly outcome?: string;
}

const rows: readonly Row[] = [
  { name: "no hooks", why: "nothing stands between data and clients", given: {}, want: "done NoHooks", writes: [] },
  {
    name: "one that succeeds",
    why: "that it may have begun is recorded before it begins",
    answers: [ended(0)],
    want: "done",
    writes: ["save", "exec", "save"],
    outcome: "Succeeded",
  },
  {
    name: "one that fails",
    why: "the gate stays shut until a person has corrected it",
    answers: [ended(3, "no such table")],
    want: "terminal HookFailed",
    writes: ["save", "exec", "save"],
    outcome: "Failed",
  },
  {
    name: "one that may fail",
    why: "it was said of it that it may",
    given: withHooks(given({ continueOnError: true })),
    answers: [ended(3)],
    want: "done",
    writes: ["save", "exec", "save"],
    outcome: "Failed",
  },
  {
    name: "one that takes too long",
    why: "its own time limit is over",
    answers: [ended(124)],
    want: "terminal HookTimedOut",
    writes: ["save", "exec", "save"],
    outcome: "TimedOut",
  },
  {
    name: "one that runs on",
    why: "other databases want the worker",
    answers: [{ stdout: "running\n" }],
    want: "after Running",
    writes: ["save", "exec"],
    outcome: "Running",
  },
  {
    name: "begun by an operator that died",
    why: "the token in the pod tells its end: it is not announced again",
    given: { ...withHooks(given()), status: { hooks: [recordOf({})] } },
    answers: [ended(0)],
    want: "done",
    writes: ["exec", "save"],
    outcome: "Succeeded",
  },
  {
    name: "begun in a pod that is gone",
    why: "nobody knows whether it took effect: it is not run again",
    given: { ...withHooks(given()), status: { hooks: [recordOf({ pod: "another" })] } },
    want: "terminal HookInterrupted",
    writes: [],
    outcome: "Interrupted",
  },
  {
    name: "one that has succeeded for this data",
    why: "each runs once",
    given: { ...withHooks(given()), status: { hooks: [recordOf({ outcome: "Succeeded" })] } },
    want: "done",
    writes: [],
    outcome: "Succeeded",
  },
  {
    name: "one that has succeeded for other data",
    why: "this data it has not seen",
    given: { ...withHooks(given()), status: { hooks: [recordOf({ outcome: "Succeeded", contentId: "another" })] } },
    answers: [ended(0)],
    want: "done",
    writes: ["save", "exec", "save"],
    outcome: "Succeeded",
  },
  {
    name: "changed while it runs",
    why: "the former one is ended before its successor begins",
    given: { ...withHooks(given()), status: { hooks: [recordOf({ scriptHash: "former" })] } },
    answers: [{}, ended(0)],
    want: "done",
    writes: ["exec", "save", "save", "exec", "save"],
    outcome: "Succeeded",
  },
  {
    name: "the pod cannot be asked",
    why: "whether it took effect is found out later, by its token",
    answers: [new ApiError({ kind: "unavailable" }, "connection refused")],
    want: "after Running",
    writes: ["save", "exec"],
    outcome: "Running",
  },
  {
    name: "an open gate",
    why: "it is the record that all have run: a hook that is added later is none of this data's",
    given: {
      ...withHooks(given()),
      status: { content: { id: contentId, madeBy: "create", openedTime: "2026-01-01T00:00:00Z" } },
    },
    want: "done",
    writes: [],
  },
];

async function bench({ given: all = withHooks(given()), answers = [] }: Pick<Row, "given" | "answers">) {
  const left = [...answers];
  const exec = (): Partial<ExecResult> => {
    const answer = left.shift();
    if (answer === undefined) throw new Error("more was asked of the pod than this test knows");
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const made = await stepBench({ ...all, exec, pods: [pod] });
  const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: meta("c") };
  const password = { kind: "known", value: "a-good-password" } as const;
  return { ...made, ctx: { ...made.ctx, pod, configMap, settings: "", settingsCorrected: false, password } };
}

describe("runHooks", () => {
  for (const { name, why, want, writes, outcome, ...row } of rows)
    test(name, async () => {
      const { ctx, writes: written } = await bench(row);
      const end = await runHooks.run(ctx, forever);
      equal([end.kind, ...(end.reason === undefined ? [] : [end.reason])].join(" "), want, why);
      deepEqual(written, writes, why);
      equal(ctx.run.status.hooks?.at(-1)?.outcome, outcome, why);
    });

  test("the password is not recorded with a hook's output", async () => {
    const { ctx } = await bench({ answers: [ended(3, "FATAL: a-good-password is refused")] });
    const end = await runHooks.run(ctx, forever);
    equal(ctx.run.status.hooks?.[0]?.output, "FATAL: *** is refused");
    match(end.message ?? "", /FATAL: \*\*\* is refused/u);
  });

  test("the second waits for the first", async () => {
    const two = withHooks(given(), given({ name: "count" }));
    const { ctx, writes } = await bench({ given: two, answers: [{ stdout: "running\n" }] });
    equal((await runHooks.run(ctx, forever)).kind, "after");
    deepEqual(writes, ["save", "exec"]);
  });

  test("what masks new data runs first on a state that no hook may have seen", async () => {
    const hooks = [given({ stage: "post-rewind", name: "count" }), given({ stage: "post-refresh" })];
    for (const [takenOpen, want] of [
      [undefined, ["post-refresh mask", "post-rewind count"]],
      [true, ["post-rewind count"]],
    ] as const) {
      const content = { id: contentId, madeBy: "rewind", ...(takenOpen === undefined ? {} : { takenOpen }) };
      const { ctx } = await bench({ given: { ...withHooks(...hooks), status: { content } }, answers: [ended(0), ended(0)] });
      equal((await runHooks.run(ctx, forever)).kind, "done");
      deepEqual(
        ctx.run.status.hooks?.map(({ stage, name }) => `${stage} ${name}`),
        want,
      );
    }
  });

  test("without hooks for a refresh the database is warned of it", async () => {
    const { ctx, conditions } = await bench({ answers: [ended(0)] });
    await runHooks.run(ctx, forever);
    deepEqual(
      conditions.map(({ type, reason }) => [type, reason]),
      [["HooksComplete", "PostRefreshMissing"]],
    );
  });
});
