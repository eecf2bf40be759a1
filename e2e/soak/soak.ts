/**
 * Databases under a writer each, while their postmasters and pods, the operator, the engine and the driver are killed at random.
 *
 * Guarantees on a good end: no acknowledged row was lost, none stands twice, what came with the copy is as it was; every database
 * was Ready, and served, in good time after the last kill; there are the pods and restarts that the kills account for.
 */
import { eventually, type Kubectl } from "@vdb/cluster";
import { planStrikes, type Victim } from "./plan.ts";
import { type PodWatch, watchPods } from "./pods.ts";
import { isWell, summary } from "./recovery.ts";
import { type Run, strikeAll } from "./strike-all.ts";
import { judgeAllPods, judgeRows, readyInTime } from "./verdict.ts";
import { circumstances, databaseCount, makeDatabases, places } from "./world.ts";
import { type Endpoint, startWriter, type Writer } from "./writer.ts";

export type SoakOptions = {
  readonly kubectl: Kubectl;
  readonly seed: number;
  /** From making the databases to the verdict. */
  readonly durationMs: number;
  /** On a machine that does nothing else: Ready within 30 s, and no restart of the operator's, engine's and driver's own doing. */
  readonly isStrict: boolean;
};
export type SoakReport = { readonly faults: readonly string[]; readonly strikes: number; readonly acknowledged: number };

/** Kept free at the end for getting Ready, reading the rows and removing the databases. */
const verdictMs = 40_000;
const leastMs = 60_000;

export async function soak({ kubectl, seed, durationMs, isStrict }: SoakOptions): Promise<SoakReport> {
  const untilMs = performance.now() + durationMs - verdictMs;
  console.log(`soak: TEST_SEED=${seed}, ${databaseCount} databases`);
  const endpoints = await makeDatabases(kubectl);
  await using pods = watchPods(kubectl, places);
  await allWell(pods);
  const before = new Map([...places.keys()].map((victim) => [victim, pods.of(victim)] as const));
  await using writing = startWriters(endpoints);
  const run: Run = { kubectl, pods, writers: writing.writers, struck: [], times: [] };
  const plan = planStrikes(seed, Math.max(untilMs - performance.now(), leastMs), databaseCount);
  const recoveries = await strikeAll(run, plan);
  const late = await readyInTime(run, isStrict ? 30_000 : 180_000);
  await Promise.all(recoveries);
  await writing.stop();
  const faults = [...late, ...(await judgeRows(run, endpoints)), ...(await judgeAllPods(run, before, isStrict))];
  if (faults.length > 0) console.log(await circumstances(kubectl));
  return { faults, ...told(run, seed) };
}

async function allWell(pods: PodWatch): Promise<void> {
  await eventually("all that is to be killed is well", 240, async () => {
    const ill = [...places.keys()].filter((victim) => !isWell(victim, pods.of(victim), []));
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

function told({ times, struck, writers }: Run, seed: number): Pick<SoakReport, "strikes" | "acknowledged"> {
  for (const line of summary(times)) console.log(`  ${line}`);
  const all = [...writers.values()];
  const sum = (of: (writer: Writer) => number): number => all.reduce((total, writer) => total + of(writer), 0);
  const acknowledged = sum(({ ledger }) => ledger.acknowledged.size);
  const rows = `${acknowledged} rows acknowledged of ${sum(({ ledger }) => ledger.sent)} sent`;
  const unended = struck.length - times.length;
  console.log(`  ${rows} in ${sum(({ sessions }) => sessions.length)} sessions; ${unended} kills without a recovery in time`);
  console.log(`soak: ${struck.length} kills; TEST_SEED=${seed}`);
  return { strikes: struck.length, acknowledged };
}
