/** What a plan tells, and the law: what is carried out is what was planned, for every kind and every way to name data. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import {
  type ActionKind,
  type ActionObject,
  type ActionPlan,
  isFinished,
  postgresRefresh,
  postgresRewind,
  postgresSnapshot,
  postgresVDB,
  resourceOf,
  vdbRefresh,
  vdbRewind,
  vdbSnapshot,
} from "@vdb/api";
import { DctError } from "@vdb/dct";
import { dSourceId, FakeWorld, fakeDct } from "@vdb/dct/testing";
import { volumeSnapshots } from "../data/csi/volume-snapshots.ts";
import { takenAt } from "../data/testing/csi-storage.ts";
import { type ActionBench, actionBench, forever, makeVolume } from "./action-bench.ts";
import { claimsBench } from "./claims-bench.ts";

const kinds = [vdbRefresh, vdbRewind, postgresRefresh, postgresRewind, vdbSnapshot, postgresSnapshot];
/** What a backup session tells at its end. */
const position = '(0/2000138,"START WAL LOCATION: 0/2000028 (file 000000010000000000000002)';
const vdbRef = { name: "orders" };
const hook = (at: string, name: string): object => ({ stage: at, name, script: "SELECT 1" });
const hooks = [
  hook("pre-refresh", "drain"),
  hook("post-refresh", "mask"),
  hook("pre-rewind", "export"),
  hook("post-rewind", "import"),
  hook("pre-snapshot", "flush"),
  hook("post-snapshot", "resume"),
  hook("post-create", "first"),
];

interface Stage {
  readonly bench: ActionBench;
  readonly world: FakeWorld;
  /** Carries out one action to its end. */
  readonly run: (kind: ActionKind, name: string, spec?: object) => Promise<ActionObject>;
}

async function stage(down: { is: boolean } = { is: false }): Promise<Stage> {
  const world = new FakeWorld();
  world.sources.add("production");
  world.timestamps = ["2025-12-31T23:00:00Z", "2026-01-01T00:00:00Z"];
  world.timeflows.set("tf-1", { id: "tf-1", dataset_id: "vdb-1", creation_type: "INITIAL" });
  const [id, parent_id] = ["vdb-1", dSourceId("production")];
  world.vdbs.set(id, { id, name: "orders", engine_id: world.engine.id, parent_id, current_timeflow_id: "tf-1" });
  world.vdbSnapshots.set("own-1", { id: "own-1", name: "@own", dataset_id: "vdb-1", timestamp: "2026-01-01T00:30:00Z" });
  world.vdbSnapshots.set("own-0", { id: "own-0", name: "@first", dataset_id: "vdb-1", timestamp: "2026-01-01T00:05:00Z" });
  const beforeCall = (): void => {
    if (down.is) throw new DctError("unreachable", "DCT is away");
  };
  const bench = await actionBench(kinds, fakeDct(world, { beforeCall }));
  bench.play = playScripts(bench);
  await makeVolume(bench.client);
  await bench.setSpec({ hooks });
  const content = { id: "c1", madeBy: "create", openedTime: "2026-01-01T00:10:00Z", claimName: "orders-c1", handle: "vdb-1" };
  const at = { lastTransitionTime: "2026-01-01T00:00:00Z", message: "as declared", observedGeneration: 1 };
  await bench.setVdb({ delphixID: "vdb-1", content, conditions: [{ type: "Ready", status: "True", reason: "Ready", ...at }] });
  return { bench, world, run: runsOn(bench) };
}

/** Carries out one action to its end, with a pod for each content. */
function runsOn(bench: ActionBench): Stage["run"] {
  const pods = new Set(["c1"]);
  return async (kind: ActionKind, name: string, spec: object = {}): Promise<ActionObject> => {
    await bench.apply(kind, name, { vdbRef, ...spec });
    await bench.live(async () => {
      const { id: current = "c1" } = (await bench.vdb()).status.content ?? {};
      if (!pods.has(current)) await bench.makePod(`orders-${current}`, current);
      pods.add(current);
      return isFinished(await bench.get(kind, name));
    });
    return await bench.get(kind, name);
  };
}

/** A database of plain CSI with a snapshot of its own, and earlier data on a claim of its own. */
async function stageOnClaims(type?: "k8s-snapshot"): Promise<Pick<Stage, "bench" | "run">> {
  const bench = await claimsBench(kinds, type);
  bench.play = playScripts(bench);
  const run = runsOn(bench);
  await run(vdbSnapshot, "own");
  await run(vdbRefresh, "earlier");
  await bench.setSpec({ hooks });
  bench.begun.length = 0;
  return { bench, run };
}

const playScripts =
  (bench: ActionBench) =>
  (token: string): string =>
    token.endsWith("backup-session") && !bench.ended.includes("cut") ? "running" : `exit 0\n${position}`;

function planOf({ status }: ActionObject): ActionPlan {
  const found = "plan" in status ? status.plan : undefined;
  if (found === undefined) throw new Error(`no plan: ${JSON.stringify(status)}`);
  return found;
}

const stagesOf = (plan: ActionObject): readonly string[] => planOf(plan).hooks.map(({ stage: at }) => at);
const reasonOf = ({ status }: ActionObject): string => status.conditions?.find(({ type }) => type === "Succeeded")?.reason ?? "";

const script = { content: "SELECT 1" };
interface Way {
  readonly name: string;
  readonly kind: ActionKind;
  readonly spec?: object;
  /** Of plain CSI; of DCT, where it is not told. */
  readonly on?: () => Promise<Pick<Stage, "bench" | "run">>;
}
const ways: readonly Way[] = [
  { name: "the latest of the source", kind: vdbRefresh },
  {
    name: "a snapshot of the source",
    kind: vdbRefresh,
    spec: { snapshotRef: { type: "timestamp", name: "2025-12-31T23:30:00Z" } },
  },
  { name: "one of its own", kind: vdbRefresh, spec: { snapshotRef: { type: "dct-snapshot", name: "own-1" } } },
  { name: "scripts around it", kind: postgresRefresh, spec: { preRefresh: script, postRefresh: script } },
  { name: "its own latest", kind: vdbRewind },
  { name: "one from before the opening", kind: vdbRewind, spec: { snapshotRef: { type: "dct-snapshot", name: "own-0" } } },
  { name: "scripts around it", kind: postgresRewind, spec: { preRewind: script, postRewind: script, previousRetention: "0s" } },
  { name: "of its volume", kind: vdbSnapshot },
  { name: "in a backup session", kind: postgresSnapshot, spec: { preSnapshot: script } },
  { name: "a fresh clone of a claim", kind: vdbRefresh, on: stageOnClaims },
  { name: "its source snapshot again", kind: vdbRefresh, on: async () => await stageOnClaims("k8s-snapshot") },
  {
    name: "a VolumeSnapshot, scripts around it",
    kind: postgresRefresh,
    spec: { preRefresh: script, postRefresh: script, snapshotRef: { type: "volume-snapshot", name: "monday" } },
    on: stageOnClaims,
  },
  { name: "the latest VolumeSnapshot", kind: vdbRewind, on: stageOnClaims },
  {
    name: "the claim of the previous data",
    kind: postgresRewind,
    spec: { snapshotRef: { type: "previous" }, preRewind: script, previousRetention: "0s" },
    on: stageOnClaims,
  },
  { name: "of a claim", kind: vdbSnapshot, on: stageOnClaims },
  { name: "of a claim, in a backup session", kind: postgresSnapshot, spec: { postSnapshot: script }, on: stageOnClaims },
];
for (const { name, kind, spec = {}, on = stage } of ways)
  test(`the law: ${kind.kind}, ${name}: the steps, the snapshot and the hooks of the action are those of its plan`, async () => {
    const { bench, run } = await on();
    const before = await bench.vdb();
    const plan = await run(kind, "plan", { ...spec, planOnly: true });
    equal(plan.status.phase, "Completed", plan.status.lastError ?? "");
    const planned = planOf(plan);
    deepEqual(planned.blockers, []);
    deepEqual([(await bench.vdb()).status, bench.begun], [before.status, []], "a plan changes nothing and runs nothing");

    const done = await run(kind, "deed", { ...spec, planRef: { name: "plan" } });
    equal(done.status.phase, "Completed", done.status.lastError ?? "");
    deepEqual(
      (done.status.steps ?? []).map(({ name: step, phase }) => ({ name: step, phase })),
      planned.steps,
    );
    const used = "snapshot" in done.status ? done.status.snapshot : undefined;
    if (planned.snapshot !== undefined)
      deepEqual(
        [used?.id, used?.name, used?.timestamp],
        [planned.snapshot.id, planned.snapshot.name, planned.snapshot.timestamp],
      );
    const wanted = planned.hooks
      .filter(({ stage: at }) => /^(?:pre|post-snapshot)/u.test(at))
      .map(({ stage: at, name: one }) => (one === "its own" ? at : `${at}/${one}`));
    const ran = (done.status.runs ?? []).map((one) => one.name).filter((one) => /^(?:pre|post-snapshot)/u.test(one));
    deepEqual(
      ran,
      wanted.filter((one) => ran.includes(one) || one !== "preSnapshot"),
      "SQL of a backup session is no run of its own",
    );
    const { previous } = (await bench.vdb()).status;
    if (planned.previous !== undefined) equal(previous?.id === before.status.content?.id, planned.previous.kept);
    deepEqual(bench.broken, []);
  });

test("hooks that mask new data are planned for a state that nobody knows to have been open", async () => {
  const { run } = await stage();
  deepEqual(stagesOf(await run(vdbRewind, "open", { planOnly: true })), ["pre-rewind", "post-rewind"]);
  const early = { snapshotRef: { type: "dct-snapshot", name: "own-0" }, planOnly: true };
  deepEqual(stagesOf(await run(vdbRewind, "early", early)), ["pre-rewind", "post-refresh", "post-rewind"]);
});

test("a plan tells what is lost, what stays, and how long clients wait, once that is known", async () => {
  const { run } = await stage();
  const first = planOf(await run(vdbRewind, "first", { planOnly: true }));
  deepEqual(
    [first.lost, first.previous, first.downtime],
    [
      {
        since: "2026-01-01T00:30:00Z",
        walUnknown: "no action has taken a VolumeSnapshot of this data since clients were let in",
      },
      { kept: true, for: "24h" },
      undefined,
    ],
  );
  await run(vdbSnapshot, "saved");
  await run(vdbRefresh, "newer");
  const second = planOf(await run(vdbRefresh, "second", { planOnly: true }));
  equal(second.previous?.discards, "c1");
  equal(second.downtime?.runs, 1);
  ok((second.downtime?.seconds ?? -1) >= 0);
});

test("a plan tells how much of what is lost no snapshot has, or why nobody knows", async () => {
  const bench = await claimsBench(kinds);
  bench.play = playScripts(bench);
  const run = runsOn(bench);
  let plans = 0;
  const lost = async (kind: ActionKind, spec: object = {}): Promise<ActionPlan["lost"]> => {
    plans += 1;
    return planOf(await run(kind, `plan-${plans}`, { ...spec, planOnly: true })).lost;
  };
  const since = "2026-01-01T00:10:00Z";
  const savedBy = { name: "own", time: takenAt };
  deepEqual(await lost(vdbRefresh), {
    since,
    walUnknown: "no action has taken a VolumeSnapshot of this data since clients were let in",
  });
  bench.walPosition = "0/5000000";
  await run(vdbSnapshot, "own");
  bench.walPosition = "1/5000028";
  deepEqual(await lost(vdbRefresh), { since, savedBy, walBytes: 2 ** 32 + 0x28 });
  deepEqual(
    await lost(vdbRewind, { snapshotRef: { type: "volume-snapshot", name: "own" } }),
    { since: takenAt, walBytes: 2 ** 32 + 0x28 },
    "what came after it is not in it",
  );
  bench.walPosition = "0/4FFFFFF";
  deepEqual(await lost(vdbRefresh), {
    since,
    savedBy,
    walUnknown: "the server is not as far as when VolumeSnapshot own was taken",
  });
  bench.walPosition = "psql: error";
  deepEqual(await lost(vdbRefresh), { since, savedBy, walUnknown: "the server does not answer" });
  await bench.client.delete(volumeSnapshots, { namespace: "shop", name: "own" }, forever);
  await run(vdbSnapshot, "mute");
  deepEqual(await lost(vdbRefresh), {
    since,
    savedBy: { name: "mute", time: takenAt },
    walUnknown: "the server did not say how far it was when VolumeSnapshot mute was taken",
  });
});

for (const { name, why, change, says } of [
  {
    name: "a new snapshot of the source",
    why: "the data would be other",
    change: async ({ world }: Stage) => void (world.timestamps = [...world.timestamps, "2026-01-01T01:00:00Z"]),
    says: /the plan has .* of 2026-01-01T00:00:00Z, and it would be .* of 2026-01-01T01:00:00Z by now/u,
  },
  {
    name: "an edit of the database",
    why: "what was looked at is another manifest",
    change: async ({ bench }: Stage) => await bench.setSpec({ hooks: [hook("post-refresh", "other")] }),
    says: /the manifest of the database was edited; the plan has the hooks pre-refresh\/drain, post-refresh\/mask, and it would be post-refresh\/other/u,
  },
  {
    name: "a new dependant",
    why: "its owner has to know",
    change: async ({ bench }: Stage) => {
      const { spec } = await bench.vdb();
      const key = { namespace: "sales", name: "copy" };
      await bench.client.create(resourceOf(postgresVDB), { metadata: key, spec }, forever);
      await bench.client.patchStatus(
        resourceOf(postgresVDB),
        key,
        { status: { source: { type: "dct-source", id: "vdb-1" } } },
        forever,
      );
    },
    says: /databases that were made from this one: sales\/copy, and in the plan none/u,
  },
  {
    name: "other data since",
    why: "what would be lost is something else",
    change: async ({ run }: Stage) => void (await run(vdbRefresh, "between")),
    says: /the database has had other data since/u,
  },
])
  test(`a plan made stale by ${name} is refused in words, before anything is done`, async () => {
    const found = await stage();
    await found.run(vdbRefresh, "plan", { planOnly: true });
    await change(found);
    const before = (await found.bench.vdb()).status;
    const jobs = found.world.jobs.length;
    const { status } = await found.run(vdbRefresh, "deed", { planRef: { name: "plan" } });
    deepEqual([status.phase, status.conditions?.find(({ type }) => type === "Succeeded")?.reason], ["Error", "PlanStale"], why);
    match(status.lastError ?? "", says);
    match(status.lastError ?? "", /^plan plan does not hold any more: .*; make a new plan, then apply a new action$/u);
    const { activeAction, content, previous } = (await found.bench.vdb()).status;
    deepEqual([activeAction, content, previous, found.world.jobs.length], [undefined, before.content, before.previous, jobs]);
    const checked = planOf(await found.run(vdbRefresh, "check", { planOnly: true, planRef: { name: "plan" } }));
    deepEqual(
      checked.blockers.map(({ reason }) => reason),
      ["PlanStale"],
      "a plan with a plan tells whether that holds",
    );
  });

test("a plan of something else, and one that is none, are refused", async () => {
  const { run } = await stage();
  await run(vdbRefresh, "plan", { planOnly: true });
  await run(vdbRefresh, "deed");
  const other = await run(vdbRefresh, "other", { planRef: { name: "plan" }, previousRetention: "1h" });
  deepEqual([reasonOf(other), /asks for something else/u.test(other.status.lastError ?? "")], ["PlanStale", true]);
  equal(reasonOf(await run(vdbRefresh, "of-deed", { planRef: { name: "deed" } })), "PlanNotFound");
  equal(reasonOf(await run(vdbRefresh, "of-nothing", { planRef: { name: "nothing" } })), "PlanNotFound");
});

test("a plan ends although another action is at work, and nobody waits behind it", async () => {
  const { bench, run } = await stage();
  bench.holdSnapshots = true;
  await bench.apply(vdbSnapshot, "long", { vdbRef });
  equal((await run(vdbRefresh, "plan", { planOnly: true })).status.phase, "Completed");
  bench.holdSnapshots = false;
});

test("what is in the way is told, not failed with", async () => {
  const down = { is: false };
  const { bench, run } = await stage(down);
  const blockersOf = (plan: ActionObject): readonly string[] => planOf(plan).blockers.map(({ reason }) => reason);
  deepEqual(blockersOf(await run(vdbRefresh, "missing", { planOnly: true, snapshotRef: { type: "dct-snapshot", name: "no" } })), [
    "SnapshotNotFound",
  ]);
  down.is = true;
  const away = await run(vdbRefresh, "away", { planOnly: true });
  deepEqual([away.status.phase, planOf(away).blockers.length], ["Completed", 1]);
  down.is = false;
  await bench.apply(vdbRefresh, "absent", { vdbRef: { name: "nobody" }, planOnly: true });
  await bench.live(async () => isFinished(await bench.get(vdbRefresh, "absent")));
  deepEqual(blockersOf(await bench.get(vdbRefresh, "absent")), ["VdbNotFound"]);
});
