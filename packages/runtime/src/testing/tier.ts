import { seededRandom } from "./seeded-random.ts";

/** Whether every long loop runs in full: TEST_TIER=all. */
export const isFullTier = process.env["TEST_TIER"] === "all";

/** The seed of sampled loops: TEST_SEED, else a new one. Printed, so that a failure can be played again. */
export const testSeed: number = Number(process.env["TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

export interface Tier {
  readonly isFull: boolean;
  readonly seed: number;
}
const own: Tier = { isFull: isFullTier, seed: testSeed };

/**
 * `count` of them by the seed, in their order; all of them in the full tier. `what` they are decides with the seed: else all
 * lists of one length would give the same places in one run.
 */
export function sampled<T>(what: string, all: readonly T[], count: number, { isFull, seed }: Tier = own): readonly T[] {
  if (isFull || count >= all.length) return all;
  const random = seededRandom(Buffer.from(what).reduce((sum, byte) => Math.imul(sum, 31) + byte, seed));
  const left = [...all.keys()];
  const chosen = new Set(Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)[0]));
  return all.filter((_, index) => chosen.has(index));
}

/**
 * Tests of one file that take turns: `count` of them run, by the seed, and all in the full tier. What it returns gives a test its
 * `skip`: false, or which seed has left it out.
 */
export function turns<K extends string>(
  what: string,
  names: readonly K[],
  count: number,
  tier: Tier = own,
): (name: K) => string | false {
  const chosen = new Set(sampled(what, names, count, tier));
  return (name) => (chosen.has(name) ? false : `not in the sample of TEST_SEED=${tier.seed}`);
}
