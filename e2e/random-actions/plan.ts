import { seededRandom } from "kube-runtime/testing";

export const operations = ["snapshot", "refresh", "rewind", "failing-refresh", "disable"] as const;
export type Operation = (typeof operations)[number];
export const victims = ["database", "operator", "engine"] as const;
export type Victim = (typeof victims)[number];
export type Step = {
  readonly operation: Operation;
  /** Which of the snapshots there are, the previous data among them: 0 ≤ choice < 1. */
  readonly choice: number;
  /** Whose pod is killed while the operation runs, and how long after its beginning. */
  readonly kill: { readonly victim: Victim; readonly afterMs: number } | undefined;
};

/** Rewinds twice: they have the most to choose from. */
const deck: readonly Operation[] = [...operations, "rewind"];

/**
 * What one sequence does, the same for the same seed. It begins with a snapshot, so that there is something to go back to; then
 * operations are dealt from a deck, so that few sequences have them all.
 */
export function planSequence(seed: number, length: number): readonly Step[] {
  const random = seededRandom(seed);
  const shuffled = (): Operation[] =>
    deck
      .map((operation) => ({ operation, order: random() }))
      .toSorted((a, b) => a.order - b.order)
      .map(({ operation }) => operation);
  let cards: Operation[] = [];
  return Array.from({ length }, (_, at) => {
    if (cards.length === 0) cards = shuffled();
    const operation = at === 0 ? "snapshot" : (cards.pop() ?? "snapshot");
    const victim = random() < 0.6 ? victims[Math.floor(random() * victims.length)] : undefined;
    const afterMs = Math.round(random() * 3000);
    return { operation, choice: random(), kill: victim === undefined ? undefined : { victim, afterMs } };
  });
}
