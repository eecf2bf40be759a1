/**
 * Databases under a writer each, while their postmasters and pods, the operator, the engine and the driver are killed at random.
 *
 * Guarantees on a good end: no acknowledged row was lost, none stands twice, what came with the copy is as it was; every database
 * was Ready, and served, in good time after the last kill; there are the pods and restarts that the kills account for.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, type Kubectl } from "@vdb/cluster";
import { judge } from "./ledger.ts";
import { planStrikes, type Strike, type Victim } from "./plan.ts";
import { type PodWatch, type SeenPod, watchPods } from "./pods.ts";
import { isWell, judgePods, type Struck, summary } from "./recovery.ts";
import { strike } from "./strike.ts";
import { circumstances, databaseCount, judgeCopy, leader, makeDatabases, notReady, places } from "./world.ts";
import { answerOf, type Endpoint, startWriter, type Writer } from "./writer.ts";

/** `durationMs`: from the first row to the verdict. */
export type SoakOptions = { readonly kubectl: Kubectl; readonly seed: number; readonly durationMs: number };
export type SoakReport = { readonly faults: readonly string[]; readonly strikes: number; readonly acknowledged: number };

/** Every database is Ready so long after the last kill, beyond the kubelet's own back-off. */
const readyWithinMs = 30_000;
/** Kept free at the end for that and for reading the rows. */
const verdictMs = 40_000;

export async function soak({ kubectl, seed, durationMs }: SoakOptions): Promise<SoakReport> {
  const plan = planStrikes(seed, Math.max(durationMs - verdictMs, 20_000), databaseCount);
  console.log(`soak: TEST_SEED=${seed}, ${databaseCount} databases, ${plan.length} kills planned`);
  const endpoints = await makeDatabases(kubectl);
  await using pods = watchPods(kubectl, places);
  await allWell(pods, 120);
  const before = new Map([...places.keys()].map((victim) => [victim, pods.of(victim)] as const));
  await using writing = startWriters(endpoints);
  const run: Run = { kubectl, pods, writers: writing.writers, struck: [], times: [] };
  const recoveries = await strikeAll(run, plan);
  const late = await readyInTime(run);
  await Promise.all(recoveries);
  await writing.stop();
  const faults = [...late, ...(await judgeRows(run, endpoints)), ...(await judgeAllPods(run, before))];
  if (faults.length > 0) console.log(await circumstances(kubectl));
  tell(run);
  const acknowledged = [...run.writers.values()].reduce((sum, { ledger }) => sum + ledger.acknowledged.size, 0);
  console.log(`soak: ${run.struck.length} kills, ${acknowledged} rows acknowledged, ${faults.length} faults; TEST_SEED=${seed}`);
  return { faults, strikes: run.struck.length, acknowledged };
}

type Run = {
  readonly kubectl: Kubectl;
  readonly pods: PodWatch;
  readonly writers: ReadonlyMap<Victim, Writer>;
  readonly struck: Struck[];
  readonly times: { readonly kind: string; readonly seconds: number }[];
};

async function allWell(pods: PodWatch, seconds: number, struck: readonly Struck[] = []): Promise<void> {
  await eventually("all that is killed is well", seconds, async () => {
    const ill = [...places.keys()].filter((victim) => !isWell(victim, pods.of(victim), struck));
    if (ill.length === 0) return true;
    throw new Error(`not well: ${ill.join(", ")}`);
  });
}

type Writing = AsyncDisposable & { readonly writers: ReadonlyMap<Victim, Writer>; readonly stop: () => Promise<void> };

function startWriters(endpoints: ReadonlyMap<Victim, Endpoint>): Writing {
  const stopping = new AbortController();
  const all = [...endpoints].map(([victim, endpoint]) => ({ victim, ...startWriter(endpoint, stopping.signal) }));
  const stop = async (): Promise<void> => {
    stopping.abort();
    await Promise.all(all.map(({ done }) => done));
  };
  return { writers: new Map(all.map(({ victim, writer }) => [victim, writer])), stop, [Symbol.asyncDispose]: stop };
}

/** Strikes by the plan. Gives back what waits for each victim's recovery. */
async function strikeAll(run: Run, plan: readonly Strike[]): Promise<readonly Promise<void>[]> {
  const from = performance.now();
  const recoveries: Promise<void>[] = [];
  for (const planned of plan) {
    await sleep(Math.max(0, from + planned.atMs - performance.now()));
    const pod = await aim(run, planned.victim);
    const hitMs = performance.now();
    const hit = pod !== undefined && (await strike(run.kubectl, pod, planned.way));
    console.log(`  ${((hitMs - from) / 1000).toFixed(1)} s  ${planned.way} ${planned.victim}${hit ? "" : ": nothing to strike"}`);
    if (!hit) continue;
    const struck = { ...planned, hitMs, pod };
    run.struck.push(struck);
    recoveries.push(measure(run, struck));
  }
  return recoveries;
}

/** The victim's pod: of the operators the leader, whose death is the one that is felt. Waits for a pod that is just being made. */
async function aim({ kubectl, pods }: Run, victim: Victim): Promise<SeenPod | undefined> {
  const leads = victim === "operator" ? await leader(kubectl) : "";
  for (let tries = 0; tries < 50; tries += 1) {
    const live = pods.of(victim).filter(({ isLeaving, isRunning }) => isRunning && !isLeaving);
    const pod = live.find(({ name }) => leads.includes(name)) ?? live[0];
    if (pod !== undefined) return pod;
    await sleep(100);
  }
  return undefined;
}

/** Until the victim serves again: a database by a new session that writes, the others by their pods. Given up after two minutes. */
async function measure({ pods, writers, times, struck }: Run, one: Struck): Promise<void> {
  const { victim, way, hitMs } = one;
  const kind = `${way} ${victim.replace(/-\d+$/u, "")}`;
  const recoveredMs = (): number | undefined => {
    if (writers.has(victim)) return writers.get(victim)?.sessions.find(({ beganMs }) => beganMs > hitMs)?.firstRowMs;
    return isWell(victim, pods.of(victim), struck) ? performance.now() : undefined;
  };
  while (performance.now() < hitMs + 120_000) {
    const at = recoveredMs();
    if (at !== undefined) {
      times.push({ kind, seconds: (at - hitMs) / 1000 });
      return;
    }
    await sleep(50);
  }
}

/** From the last kill until every database says Ready and serves, and everything else runs too. */
async function readyInTime({ kubectl, pods, writers, struck }: Run): Promise<readonly string[]> {
  const from = Math.max(0, ...struck.map(({ hitMs, backOffMs }) => hitMs + backOffMs));
  const missing = async (): Promise<readonly string[]> => {
    const silent = [...writers].filter(([victim, { sessions }]) => {
      const last = struck.findLast((one) => one.victim === victim);
      return last !== undefined && (sessions.at(-1)?.beganMs ?? 0) < last.hitMs;
    });
    const ill = [...places.keys()].filter((victim) => !isWell(victim, pods.of(victim), struck));
    return [
      ...(await notReady(kubectl)),
      ...silent.map(([victim, { lastTrouble }]) => `${victim} does not serve: ${lastTrouble}`),
      ...ill.map((victim) => `${victim}: its pods are not as they should be`),
    ];
  };
  for (;;) {
    const lacking = await missing();
    const tookMs = performance.now() - from;
    if (lacking.length === 0) console.log(`soak: all Ready ${(tookMs / 1000).toFixed(1)} s after the last kill`);
    if (lacking.length === 0)
      return tookMs <= readyWithinMs ? [] : [`all were Ready only ${Math.round(tookMs / 1000)} s after the last kill`];
    if (tookMs > 4 * readyWithinMs) return lacking;
    if (tookMs > readyWithinMs) console.log(`soak: ${Math.round(tookMs / 1000)} s after the last kill: ${lacking.join("; ")}`);
    await sleep(500);
  }
}

async function judgeRows({ kubectl, writers }: Run, endpoints: ReadonlyMap<Victim, Endpoint>): Promise<readonly string[]> {
  const judged = [...endpoints].map(async ([victim, endpoint]) => {
    const writer = writers.get(victim);
    if (writer === undefined) return [];
    const rows = await answerOf(endpoint, "SELECT n, count(*), bool_and(body = md5(n::text)) FROM soak_rows GROUP BY n");
    const lines = rows === "" ? [] : rows.split("\n").map((row) => row.split("|"));
    const found = new Map(lines.map(([number, times]) => [Number(number), Number(times)]));
    const spoilt = lines.filter(([, , isWhole]) => isWhole !== "t").map(([number]) => `row ${number} is not as it was written`);
    return [...writer.faults, ...judge(writer.ledger, found), ...spoilt].map((fault) => `${victim}: ${fault}`);
  });
  const copies = [...endpoints].map(async ([victim, endpoint]) => await judgeCopy(kubectl, victim, endpoint));
  return (await Promise.all([...judged, ...copies])).flat();
}

/** The last restart may be told a moment late. */
async function judgeAllPods({ pods, struck }: Run, before: ReadonlyMap<Victim, readonly SeenPod[]>): Promise<readonly string[]> {
  const look = (): readonly string[] =>
    [...before].flatMap(([victim, earlier]) => {
      const own = struck.filter((one) => one.victim === victim);
      return judgePods(victim, earlier, pods.of(victim), own);
    });
  for (let tries = 0; tries < 50 && look().length > 0; tries += 1) await sleep(100);
  return look();
}

function tell({ times, struck, writers }: Run): void {
  for (const line of summary(times)) console.log(`  ${line}`);
  const sessions = [...writers.values()].reduce((sum, one) => sum + one.sessions.length, 0);
  console.log(
    `  ${struck.length - times.length} kills were followed by no recovery within two minutes; ${sessions} sessions wrote`,
  );
}
