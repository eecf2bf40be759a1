/** What happened to a database, found by its name alone in the operator's log and in events, on a real API server. */
import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type ActionKind, type ActionObject, isFinished, resourceOf, vdbRefresh } from "@vdb/api";
import { events } from "kube-runtime";
import { type Answer, deleteVdb, forever, healthy, isReady, untilVdb } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";
import { until } from "./testing/until.ts";

type Line = Readonly<Record<string, unknown>>;
const linesOf = (logged: readonly string[]): readonly Line[] =>
  logged.map((line) => {
    const fields: unknown = JSON.parse(line);
    return typeof fields === "object" && fields !== null ? { ...fields } : {};
  });

const hooks = ["post-create", "post-refresh"].map((stage) => ({ name: "mask", stage, script: `SELECT '${stage}'` }));
const well: Answer = ({ command }) => (command[3] === "hook" ? { stdout: "exit 0\nmasked" } : healthy());
const failing: Answer = (request) => (request.command[3] === "hook" ? { stdout: "exit 3\nno such table" } : well(request));

describe("the story of one database", { timeout: 300_000 }, () => {
  const stage = setStage("story");
  const refreshes = resourceOf<ActionKind>(vdbRefresh);

  async function refresh(name: string, phase: string): Promise<void> {
    const spec = { vdbRef: { name: "orders" }, ttlSecondsAfterFinished: 0 };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- defaults are the API server's
    await stage.client.create(refreshes, { metadata: { namespace: "story", name }, spec } as never, forever);
    const ended: { seen?: ActionObject } = {};
    await until(
      `${name} has ended and is gone`,
      async () => {
        const found = await stage.client.find(refreshes, { namespace: "story", name }, forever);
        if (found !== undefined && isFinished(found)) ended.seen = found;
        if (found === undefined) return true;
        throw new Error(JSON.stringify(found.status));
      },
      120,
    );
    if (ended.seen !== undefined) equal(ended.seen.status.phase, phase);
    await untilVdb(stage.client, "story", "orders", isReady);
  }

  test("created, refreshed, a refresh failed, deleted: each is told by its name, with the reason, and no line more", async () => {
    stage.operator.answer = well;
    const { status } = await stage.readyDatabase("story", { hooks });
    await refresh("good", "Completed");
    stage.operator.answer = failing;
    await refresh("bad", "Error");
    stage.operator.answer = well;
    const { logged } = stage.operator;
    const before = logged.length;
    await sleep(3000);
    deepEqual(logged.slice(before), [], "at rest nothing is logged");
    await deleteVdb(stage.client, "story", "orders");
    await until("the end is logged", () => {
      match(logged.join(""), /finalizer removed/u);
      return true;
    });

    const lines = linesOf(logged);
    deepEqual(
      lines.filter(({ object, vdb }) => object !== undefined && vdb !== "story/orders"),
      [],
      "each line about an object names its database",
    );
    const told = (wanted: Line): readonly Line[] =>
      lines.filter(
        (line) => line["vdb"] === "story/orders" && Object.entries(wanted).every(([key, value]) => line[key] === value),
      );
    const phases = (action: string) => told({ action, msg: "phase begins" }).map(({ phase }) => phase);
    const all = ["PreRefresh", "Stopping", "Refreshing", "Starting", "PostRefresh"];
    deepEqual(phases("VDBRefresh story/good"), [...all, "Finalizing"]);
    deepEqual(phases("VDBRefresh story/bad"), all);

    const [ready] = told({ phase: "Ready", controller: "postgresvdb" });
    deepEqual([ready?.["delphixID"], ready?.["claim"]], [status.delphixID, `story/${status.pvcName}`], "what the others call it");
    const jobs = told({ step: "cut-over", msg: "step begun" });
    deepEqual(
      jobs.map(({ action, effect, delphixID }) => [action, typeof effect, delphixID]),
      ["good", "bad"].map((name) => [`VDBRefresh story/${name}`, "string", status.delphixID]),
      "the job in DCT",
    );
    const [end, ...others] = told({ action: "VDBRefresh story/bad", level: "warn" });
    deepEqual([end?.["phase"], end?.["reason"], others], ["Error", "HookFailed", []]);
    match(String(end?.["text"]), /post-refresh hook mask failed with exit code 3.*no such table/u);
    equal(told({ level: "warn", hook: "mask", outcome: "Failed" }).length, 1);
    equal(told({ msg: "the action is deleted: its ttlSecondsAfterFinished have passed" }).length, 2);
    equal(told({ msg: "clean-up is done: finalizer removed", controller: "postgresvdb" }).length, 1);
    doesNotMatch(logged.join(""), /a-good-password/u);
  });

  test("events of the database's actions name it, too, when the actions are gone", async () => {
    const wanted: readonly (readonly [kind: string, name: string, reasons: readonly string[]])[] = [
      ["PostgresVDB", "orders", ["Accepted", "Resolved", "Provisioning", "Provisioned", "Deployed", "HookFailed", "Deleting"]],
      ["VDBRefresh", "good", ["PreRefresh", "Stopping", "Refreshing", "Starting", "PostRefresh", "Finalizing", "Completed"]],
      ["VDBRefresh", "bad", ["Refreshing", "RollingBack", "HookFailed"]],
    ];
    // Nothing waits for them to be written.
    const items = await until("the events are there", async () => {
      const { items: found } = await stage.client.list(events, { namespace: "story" }, forever);
      const missing = wanted.flatMap(([kind, name, reasons]) =>
        reasons.filter(
          (reason) => !found.some((one) => one.regarding.kind === kind && one.regarding.name === name && one.reason === reason),
        ),
      );
      if (missing.length > 0) throw new Error(`no ${missing.join(", no ")}`);
      return found;
    });
    const about = items.filter(({ regarding, related }) =>
      [regarding, related].some((one) => one?.kind === "PostgresVDB" && one.namespace === "story" && one.name === "orders"),
    );
    deepEqual(about.length, items.length);
  });
});
