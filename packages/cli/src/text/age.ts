/** From how many milliseconds on a larger unit says enough. */
const units = [
  { from: 2 * 86_400_000, milliseconds: 86_400_000, letter: "d" },
  { from: 2 * 3_600_000, milliseconds: 3_600_000, letter: "h" },
  { from: 2 * 60_000, milliseconds: 60_000, letter: "m" },
  { from: 0, milliseconds: 1000, letter: "s" },
] as const;

/** `90s`, `47h`, `3d`: one whole number, rounded down. A clock that is behind the API server's shows 0s. */
export function ageText(milliseconds: number): string {
  const age = Math.max(0, milliseconds);
  const { milliseconds: unit, letter } = units.find(({ from }) => age >= from) ?? units[3];
  return `${Math.floor(age / unit)}${letter}`;
}

/** The age of a moment that the API has; `-` where it has none. */
export const ageOf = (moment: string | undefined, now: number): string =>
  moment === undefined ? "-" : ageText(now - Date.parse(moment));
