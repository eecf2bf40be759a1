import { setTimeout as sleep } from "node:timers/promises";
import { judge } from "./ledger.ts";
import type { Victim } from "./plan.ts";
import type { SeenPod } from "./pods.ts";
import { isWell, judgePods } from "./recovery.ts";
import type { Run } from "./strike-all.ts";
import { judgeCopy, notReady, places } from "./world.ts";
import { answerOf, type Endpoint } from "./writer.ts";

/** From the last kill until every database says Ready and serves, and everything else runs too. */
export async function readyInTime({ kubectl, pods, writers, struck }: Run, withinMs: number): Promise<readonly string[]> {
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
      return tookMs <= withinMs ? [] : [`all were Ready only ${Math.round(tookMs / 1000)} s after the last kill`];
    if (tookMs > withinMs + 120_000) return lacking;
    if (tookMs > withinMs) console.log(`soak: ${Math.round(tookMs / 1000)} s after the last kill: ${lacking.join("; ")}`);
    await sleep(500);
  }
}

export async function judgeRows({ kubectl, writers }: Run, endpoints: ReadonlyMap<Victim, Endpoint>): Promise<readonly string[]> {
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
export async function judgeAllPods(
  { pods, struck }: Run,
  before: ReadonlyMap<Victim, readonly SeenPod[]>,
  isStrict: boolean,
): Promise<readonly string[]> {
  const look = (): readonly string[] =>
    [...before].flatMap(([victim, earlier]) => {
      const own = struck.filter((one) => one.victim === victim);
      return judgePods(victim, earlier, pods.of(victim), own, isStrict || victim.startsWith("database"));
    });
  for (let tries = 0; tries < 50 && look().length > 0; tries += 1) await sleep(100);
  return look();
}
