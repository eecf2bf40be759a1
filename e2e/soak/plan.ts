import { seededRandom } from "kube-runtime/testing";

/** The databases are numbered from 1; the rest is the product's own. */
export type Victim = "operator" | "engine" | "csi-controller" | "csi-node" | `database-${number}`;
/** kill: -9 to the process that the container is for. delete: with its grace period. force: without, so its successor may meet it. */
export type Way = "kill" | "delete" | "force";
export type Strike = {
  /** Since the first writer wrote. */
  readonly atMs: number;
  readonly victim: Victim;
  readonly way: Way;
  /** How long the kubelet waits before it starts what this killed again. */
  readonly backOffMs: number;
};

export const own = ["operator", "engine", "csi-controller", "csi-node"] as const;
export const databases = (count: number): readonly `database-${number}`[] =>
  Array.from({ length: count }, (_, i) => `database-${i + 1}` as const);

/** The kubelet starts a container anew at once, the second time after 10 s, then ever later, until it has left it alone for ten minutes. */
export const backOffMs = 10_000;
const forgottenMs = 600_000;
const [shortestGapMs, longestGapMs] = [1500, 8000];

/**
 * Who is struck when and how, for `durationMs`: the same for the same seed. Dealt from a deck that holds every kind of strike, so
 * that a short run has each. A container that was killed twice in ten minutes is not killed again: its pod is deleted instead.
 */
export function planStrikes(seed: number, durationMs: number, databaseCount: number): readonly Strike[] {
  const random = seededRandom(seed);
  const kills = new Map<Victim, readonly number[]>();
  const strikes: Strike[] = [];
  let deck: readonly (readonly [Victim, Way])[] = [];
  for (let atMs = gap(random()); atMs < durationMs; atMs += gap(random())) {
    if (deck.length === 0) deck = newDeck(random, databaseCount);
    const [card, ...rest] = deck;
    deck = rest;
    if (card === undefined) break;
    const [victim, wished] = card;
    const recent = recentKills(kills.get(victim) ?? [], atMs);
    const way = wished === "kill" && recent.length === 2 ? "delete" : wished;
    kills.set(victim, way === "kill" ? [...recent, atMs] : []);
    strikes.push({ atMs, victim, way, backOffMs: way === "kill" && recent.length === 1 ? backOffMs : 0 });
  }
  return strikes;
}

const gap = (chance: number): number => Math.round(shortestGapMs + chance * (longestGapMs - shortestGapMs));

/** The kills that the kubelet still counts. A margin, because strikes may come later than planned, each by another time. */
function recentKills(kills: readonly number[], atMs: number): readonly number[] {
  const last = kills.at(-1);
  return last !== undefined && atMs - last < forgottenMs + 60_000 ? kills : [];
}

/** Each database's postmaster, four of the databases' pods, and each of our own by its process and by its pod. */
function newDeck(random: () => number, databaseCount: number): readonly (readonly [Victim, Way])[] {
  const shuffled = shuffle(databases(databaseCount), random);
  const pods = shuffled.slice(0, 4).map((victim, i) => [victim, i % 2 === 0 ? "delete" : "force"] as const);
  const ownPods = own.map((victim) => [victim, random() < 0.5 ? "delete" : "force"] as const);
  const killed = [...databases(databaseCount), ...own].map((victim) => [victim, "kill"] as const);
  return shuffle([...killed, ...pods, ...ownPods], random);
}

function shuffle<T>(all: readonly T[], random: () => number): readonly T[] {
  return all
    .map((one) => [random(), one] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, one]) => one);
}
