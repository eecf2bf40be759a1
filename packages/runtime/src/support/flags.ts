/** What the programs of a project read their command line with: `parseArgs` of Node, and words for who typed it. */

/** An empty flag is as good as none: a chart writes what its values say. */
export const given = (value: string | undefined): string | undefined => (value === "" ? undefined : value);

/** The value, one of those allowed. Throws naming the flag and the choices. */
export function oneOf<const T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new Error(`--${flag}=${value}: it must be one of ${allowed.join(", ")}`);
  return found;
}

/** The value as a number, from `least` to `most`. Throws naming the flag and the limits. */
export function wholeNumber(flag: string, value: string, least: number, most: number): number {
  const number = Number(value);
  if (/^-?\d+$/u.test(value) && number >= least && number <= most) return number;
  throw new Error(`--${flag}=${value}: it must be a whole number from ${least} to ${most}`);
}

/** A port; 0 is any that is free. */
export const portNumber = (flag: string, value: string): number => wholeNumber(flag, value, 0, 65_535);
