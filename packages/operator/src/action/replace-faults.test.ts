/** An operator that dies, or whose writes are lost, in a refresh or rewind of a database in DCT: one change, and the turn left. */
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { type ActionKind, postgresRefresh, postgresRewind, resourceOf, vdbRefresh, vdbRewind } from "@vdb/api";
import { ended, forever } from "./action-bench.ts";
import { diesAfter, type Faulty, faultTests } from "./faults-bench.ts";
import { changes, spec, stage } from "./testing/replace-stage.ts";

test("an operator that dies after it has left the turn: the next one writes down the end, and does nothing again", async () => {
  const { bench, world } = await stage();
  await bench.apply(vdbRefresh, "monday", spec);
  const { wrap, isDead } = diesAfter("the leaving", (body) => (body.includes('"activeAction":null') ? "the leaving" : undefined));
  await bench.live(async () => isDead(), { api: wrap, seconds: 300 });
  deepEqual(
    [(await bench.get(vdbRefresh, "monday")).status.phase, (await bench.vdb()).status.activeAction],
    ["Finalizing", undefined],
  );
  const { previous } = (await bench.vdb()).status;
  await bench.live(ended(bench, "monday", vdbRefresh));
  const { status } = await bench.get(vdbRefresh, "monday");
  deepEqual([status.phase, status.steps?.at(-1)?.name], ["Completed", "keep-previous"], status.lastError ?? "");
  equal(status.conditions?.find(({ type }) => type === "ModeEnforced")?.reason, "Enforced");
  deepEqual([(await bench.vdb()).status.previous, changes(world), bench.broken], [previous, ["DB_REFRESH"], []]);
});

for (const { arrives, end } of [
  { arrives: "the stop", end: "Completed" },
  { arrives: "the stop", end: "Error" },
  { arrives: "the choice", end: "Completed" },
])
  test(`an operator dies as it tells its choice and the stop, and only ${arrives} arrives: ${end} in the end`, async () => {
    const { bench, world, current } = await stage();
    await bench.apply(vdbRefresh, "monday", spec);
    const { wrap, isDead } = diesAfter(arrives, (body) =>
      body.includes('"prepare-content"') ? "the choice" : body.includes('"hold":"stopped"') ? "the stop" : undefined,
    );
    await bench.live(async () => isDead(), { api: wrap, seconds: 60 });
    const { activeAction, content } = (await bench.vdb()).status;
    const { steps = [] } = (await bench.get(vdbRefresh, "monday")).status;
    deepEqual(
      [activeAction?.hold, content?.timeflow, steps.map(({ name }) => name)],
      arrives === "the stop" ? ["stopped", "tf-1", []] : [undefined, undefined, ["pre-refresh-hooks", "prepare-content"]],
    );
    if (end === "Error") world.timestamps = []; // what it would choose is gone
    await bench.live(ended(bench, "monday", vdbRefresh), { seconds: 300 });
    equal((await bench.get(vdbRefresh, "monday")).status.phase, end);
    equal((await bench.vdb()).status.activeAction, undefined);
    deepEqual([current() === "tf-1", changes(world)], end === "Error" ? [true, []] : [false, ["DB_REFRESH"]]);
    deepEqual(bench.broken, []);
  });

for (const { arrives, deleted } of [
  { arrives: "the opening", deleted: false },
  { arrives: "the opening", deleted: true },
  { arrives: "the announcement", deleted: false },
])
  test(`an operator dies as the gate opens, and of its two writes only ${arrives} arrives${deleted ? ", and the action is deleted" : ""}: it goes on to its end`, async () => {
    const { bench, world, current } = await stage();
    await bench.apply(vdbRefresh, "monday", spec);
    const { wrap, isDead } = diesAfter(arrives, (body) =>
      body.includes('"open-database"') ? "the announcement" : body.includes('"hold":"none"') ? "the opening" : undefined,
    );
    await bench.live(async () => isDead(), { api: wrap, seconds: 300 });
    const isOpened = (await bench.vdb()).status.content?.openedTime !== undefined;
    const { phase } = (await bench.get(vdbRefresh, "monday")).status;
    deepEqual([isOpened, phase], arrives === "the opening" ? [true, "PostRefresh"] : [false, "Finalizing"]);
    const key = { namespace: "shop", name: "monday" };
    if (deleted) await bench.client.delete(resourceOf<ActionKind>(vdbRefresh), key, forever);
    const isGone = async () => (await bench.client.find(resourceOf<ActionKind>(vdbRefresh), key, forever)) === undefined;
    await bench.live(deleted ? isGone : ended(bench, "monday", vdbRefresh), { seconds: 300 });
    if (!deleted) equal((await bench.get(vdbRefresh, "monday")).status.phase, "Completed");
    const { activeAction, previous, content } = (await bench.vdb()).status;
    deepEqual([activeAction, previous?.id, content?.madeBy], [undefined, "c1", "refresh"]);
    deepEqual([current() === "tf-1", changes(world), bench.broken], [false, ["DB_REFRESH"], []]);
  });

for (const { kind, trouble } of [
  { kind: vdbRefresh, trouble: undefined },
  { kind: vdbRewind, trouble: undefined },
  { kind: postgresRewind, trouble: undefined },
  { kind: postgresRefresh, trouble: "beforeOpen" as const },
]) {
  const name = `${kind.kind}${trouble === undefined ? "" : " that is taken back"}`;
  faultTests(
    { name, holds: "one change, old data or new, the turn left", writes: 12 },
    async (faultAt, nth) => await through(kind, trouble, faultAt, nth),
  );
}

async function through(
  kind: ActionKind,
  trouble: "beforeOpen" | undefined,
  faultAt: (nth: number) => Faulty,
  nth: number,
): Promise<number> {
  const { bench, world, current } = await stage();
  bench.trouble = trouble;
  const fault = faultAt(nth);
  await bench.apply(kind, "monday", spec);
  await bench.live(async () => fault.isDead() || (await ended(bench, "monday", kind)()), { api: fault.wrap, seconds: 300 });
  await bench.live(ended(bench, "monday", kind), { seconds: 900 });
  const { status } = await bench.get(kind, "monday");
  const vdb = (await bench.vdb()).status;
  const at = `write ${nth}: ${status.lastError}`;
  deepEqual([status.phase, vdb.activeAction, bench.broken], [trouble === undefined ? "Completed" : "Error", undefined, []], at);
  equal(current() === "tf-1", vdb.content?.id === "c1", `${at}: data and its name belong together`);
  equal(current() === "tf-1", trouble !== undefined, at);
  equal(changes(world).length, trouble === undefined ? 1 : 2, at);
  return fault.written();
}
