/** How far a standby is behind its source. The source is asked now and then where it is; the standby passes these points one by one. */
import type { SourcePosition } from "./source.ts";

export interface Freshness {
  /** How much of the source's WAL was missing when the source was asked last. */
  readonly lagBytes?: number;
  /** All that the source had so long ago has come. */
  readonly lagSeconds?: number;
  /** When the source has answered last. */
  readonly lastContact?: Date;
}

interface Point {
  readonly ms: number;
  readonly position: bigint;
}

/** A standby that is behind for hours needs no more than the oldest points. */
const mostPoints = 1_000;

export function freshness() {
  let points: readonly Point[] = [];
  let [at, contactMs, freshMs]: [bigint | undefined, number | undefined, number | undefined] = [undefined, undefined, undefined];
  let last: bigint | undefined;
  const pass = (): void => {
    const has = at;
    if (has === undefined) return;
    const passed = points.filter(({ position }) => position <= has);
    freshMs = passed.at(-1)?.ms ?? freshMs;
    points = points.filter(({ position }) => position > has);
  };
  return {
    answered: (ms: number, { position }: SourcePosition): void => {
      [contactMs, last] = [ms, position];
      if (points.length < mostPoints) points = [...points, { ms, position }];
      pass();
    },
    received: (position: bigint): void => {
      at = position;
      pass();
    },
    now: (nowMs: number): Freshness => ({
      ...(at === undefined || last === undefined ? {} : { lagBytes: Math.max(0, Number(last - at)) }),
      ...(freshMs === undefined ? {} : { lagSeconds: Math.max(0, nowMs - freshMs) / 1000 }),
      ...(contactMs === undefined ? {} : { lastContact: new Date(contactMs) }),
    }),
  };
}
