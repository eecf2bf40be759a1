/** The value below which that share of all lies; NaN of none. */
export const percentile = (all: readonly number[], share: number): number =>
  all.toSorted((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * share))] ?? Number.NaN;

export const median = (all: readonly number[]): number => percentile(all, 0.5);
