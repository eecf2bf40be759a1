/**
 * What a table of numbered rows may hold when its database is set back and forth. A state is one history: numbers that have to be
 * there, and numbers that may be there because they were sent and the answer was never heard.
 */
export type State = { readonly required: ReadonlySet<number>; readonly allowed: ReadonlySet<number> };

/** As a table that has just been made. */
export const empty: State = { required: new Set(), allowed: new Set() };

export const sent = ({ required, allowed }: State, number: number): State => ({
  required,
  allowed: new Set([...allowed, number]),
});

export const acknowledged = ({ required, allowed }: State, number: number): State => ({
  required: new Set([...required, number]),
  allowed: new Set([...allowed, number]),
});

/** What a snapshot holds that was taken between two moments: what was acknowledged before it began, and nothing sent after it ended. */
export const between = (begin: State, end: State): State => ({ required: begin.required, allowed: end.allowed });

/**
 * What is wrong with a table as the continuation of a state; undefined: nothing. Rows are written one after the other, so that a
 * missing row that was acknowledged (in `everAcknowledged`) below the highest one tells of a mixture, whatever the state requires.
 */
export function mismatch(
  { required, allowed }: State,
  found: readonly number[],
  everAcknowledged: ReadonlySet<number>,
): string | undefined {
  const there = new Set(found);
  const highest = Math.max(0, ...found);
  const lost = [...required].filter((number) => !there.has(number));
  const strange = found.filter((number) => !allowed.has(number));
  const holes = [...allowed].filter((number) => number < highest && everAcknowledged.has(number) && !there.has(number));
  const wrong = [
    ...named("lost", lost),
    ...named("of another history", strange),
    ...named("missing in the middle", holes),
    ...(there.size === found.length ? [] : ["rows that came twice"]),
  ];
  return wrong.length === 0 ? undefined : wrong.join("; ");
}

/** After a look: what was seen is durable. The last that was sent may still come, when its session broke off. */
export const seen = (found: readonly number[], last: number): State => ({
  required: new Set(found),
  allowed: new Set([...found, last]),
});

const named = (what: string, numbers: readonly number[]): readonly string[] =>
  numbers.length === 0 ? [] : [`${numbers.length} rows ${what} (${numbers.slice(0, 5).join(", ")})`];
