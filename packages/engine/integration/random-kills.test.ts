/** SIGKILL at random moments while jobs of all types run: catalogue and pool agree, and no snapshot is lost or changed. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { jobClass, list, object, string } from "@vdb/dct";
import { isFullTier, seededRandom, testSeed } from "kube-runtime/testing";
import { askEngine } from "../src/admin/socket.ts";
import { jobTypes } from "../src/catalogue/rows.ts";
import {
  dataDir,
  declared,
  type EngineProcess,
  firstSnapshot,
  jobEnd,
  poolDir,
  provisioned,
  startEngineProcess,
} from "./testing/engine.ts";
import { nothingLost } from "./testing/killed-at.ts";
import { keepAsking, type Load, type Told } from "./testing/mixed-load.ts";
import { type Server, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

const kills = isFullTier ? 200 : 20;
const askers = 4;
/** From the first request to the kill, unless a job takes a while here: then so many of them. */
const [longestMs, longestJobs] = [600, 4];

const decodeChecked = object({ busy: list(string), differences: list(string) }, {});

describe(`killed ${kills} times at random (seed ${testSeed})`, { timeout: 3_600_000 }, () => {
  const stack = new AsyncDisposableStack();
  const random = seededRandom(testSeed);
  const told: Told = { snapshots: new Map(), unwanted: new Map(), statuses: new Map(), taken: new Map() };
  /** Of the files of each snapshot that was shown. */
  const sums = new Map<string, string>();
  /** The engine forgets the oldest jobs. */
  const types = new Set<string | undefined>();
  let scratch: Scratch;
  let source: Server;
  let [origin, untilKillMs] = ["", longestMs];

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = stack.use(await startSource(scratch, "production", 0));
    const config = { pool: { size: "8Gi", reserve: "32Mi" }, dsources: [declared("production", source.port)] };
    await using engine = await startEngineProcess(scratch, { config });
    origin = (await firstSnapshot(engine, "production")).id;
    const from = performance.now();
    await provisioned(engine.client, origin, "first");
    untilKillMs = Math.max(longestMs, longestJobs * (performance.now() - from));
  });
  after(() => stack.disposeAsync());

  const loadOn = (engine: EngineProcess): Load => ({ scratch, engine, sourcePort: source.port, random, told, origin });
  const check = async (): Promise<ReturnType<typeof decodeChecked>> =>
    decodeChecked(JSON.parse((await askEngine(dataDir(scratch), "check")).toString()), "answer");
  const isUnwanted = (id: string): boolean => [id, told.snapshots.get(id) ?? ""].some((one) => (told.unwanted.get(one) ?? 0) > 0);
  /** Of the names, owners, modes and bytes of everything in a snapshot. */
  const sumOf = async (id: string): Promise<string> => {
    const program = `cd "$0" && { find . -printf '%P %U:%G %m %y\\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha1sum; } | sha1sum`;
    return (await promisify(execFile)("sh", ["-c", program, join(poolDir(scratch), "snapshots", id)])).stdout;
  };
  const requireNoneLost = async (engine: EngineProcess): Promise<void> => {
    const now = new Set<string>();
    for (const { id, dataset_id = "" } of await engine.client.searchSnapshots()) {
      now.add(id);
      told.snapshots.set(id, dataset_id);
    }
    deepEqual(
      [...told.snapshots.keys()].filter((id) => !now.has(id) && !isUnwanted(id)),
      [],
      "snapshots that were shown and that nobody has asked to delete",
    );
  };

  test("each time the next engine finds a catalogue and a pool that agree, and every snapshot that was shown", async (t) => {
    let [jobs, worstMs] = [0, 0];
    for (let kill = 0; kill < kills; kill += 1) {
      const from = performance.now();
      await using engine = await startEngineProcess(scratch);
      worstMs = Math.max(worstMs, performance.now() - from);
      deepEqual((await check()).differences, [], `after kill ${kill}`);
      await requireNoneLost(engine);
      for (const { type } of await engine.client.searchJobs()) types.add(type);
      const load = loadOn(engine);
      const asking = Array.from({ length: askers }, () => keepAsking(load));
      await sleep(random() * untilKillMs);
      await engine.kill();
      await Promise.all(asking);
      for (const id of told.snapshots.keys()) if (!sums.has(id) && !isUnwanted(id)) sums.set(id, await sumOf(id));
    }
    await using engine = await startEngineProcess(scratch);
    for (;;) {
      const unfinished = (await engine.client.searchJobs()).filter(({ status }) => jobClass(status) === "goesOn");
      if (unfinished.length === 0) break;
      for (const { id } of unfinished) await jobEnd(engine.client, id);
    }
    const all = await engine.client.searchJobs();
    jobs = all.length;
    for (const { type } of all) types.add(type);
    const missing = jobTypes.filter((type) => !types.has(type));
    const { busy, differences } = await check();
    deepEqual([busy, differences], [[], []]);
    await nothingLost(scratch, engine);
    await requireNoneLost(engine);
    const changed: string[] = [];
    let compared = 0;
    for (const [id, sum] of sums) {
      if (isUnwanted(id)) continue;
      compared += 1;
      if ((await sumOf(id)) !== sum) changed.push(id);
    }
    const failed = all.filter(({ status }) => status === "FAILED").length;
    t.diagnostic(
      `${kills} kills, ${jobs} jobs (${failed} failed), ${told.snapshots.size} snapshots shown, ${compared} compared at the end; answers ${JSON.stringify([...told.statuses])}; killed within ${Math.round(untilKillMs)} ms; a start took ${Math.round(worstMs)} ms at most; job types that never came: ${missing.join(", ") || "none"}`,
    );
    deepEqual(changed, [], "snapshots whose files have changed");
    equal(told.statuses.get(500), undefined);
    ok(compared > 0);
    if (isFullTier) deepEqual(missing, []);
  });
});
