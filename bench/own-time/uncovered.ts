/** Milliseconds by performance.now(). */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The milliseconds of a span that none of the others covers. */
export function uncovered({ from, to }: Span, others: readonly Span[]): number {
  let left = 0;
  let at = from;
  for (const other of others.toSorted((a, b) => a.from - b.from)) {
    if (other.from > at) left += Math.min(other.from, to) - at;
    at = Math.max(at, other.to);
    if (at >= to) return left;
  }
  return left + to - at;
}

/** How many of these one can go through that do not overlap: on a busy machine too it tells what waits for what. */
export function inARow(spans: readonly Span[]): number {
  let [count, at] = [0, -Infinity];
  for (const { from, to } of spans.toSorted((a, b) => a.to - b.to)) {
    if (from < at) continue;
    count += 1;
    at = to;
  }
  return count;
}
