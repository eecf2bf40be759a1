/** What is known of one standby, and what follows from what it says. */
import type { SourcePosition } from "./source.ts";
import { freshness } from "./standby-freshness.ts";
import { misfits, type Said } from "./standby-lines.ts";
import type { StandbyServer } from "./standby-server.ts";
import type { Followed } from "./standbys.ts";

export interface Standby {
  followed: Followed;
  server?: StandbyServer;
  /** What its server was started with. */
  given?: string;
  isStreaming: boolean;
  /** Only another copy helps. */
  lost?: string;
  refused?: string | undefined;
  /** The pool is nearly full. */
  held?: string;
  trouble?: string;
  said?: string;
  /** Knows what its servers have said before. */
  readonly judge: ReturnType<typeof misfits>;
  readonly fresh: ReturnType<typeof freshness>;
  isAsking: boolean;
  askedMs: number;
  startedMs: number;
  /** Since it has run for a while: how often its server has ended by itself, and when the next one may start. */
  ends: number;
  startAfterMs: number;
  /** When the source has answered last. */
  answeredMs: number;
  /** The server's WAL continues what it had when it was started. */
  isVerified: boolean;
  /** Something was sent that may not continue it. */
  isDoubtful: boolean;
}

export const newStandby = (followed: Followed): Standby => ({
  followed,
  isStreaming: false,
  judge: misfits(),
  fresh: freshness(),
  isAsking: false,
  askedMs: 0,
  startedMs: 0,
  ends: 0,
  startAfterMs: 0,
  answeredMs: 0,
  isVerified: false,
  isDoubtful: true,
});

/** A server that has run for so long has not ended because of what it replays. */
const longRunMs = 60_000;
const mostEnds = 5;
const firstPauseMs = 1_000;

export function hear(one: Standby, said: Said): void {
  if (said.kind === "lost") one.lost ??= said.because;
  if (said.kind === "trouble") [one.isStreaming, one.trouble] = [false, said.because];
  if (["dismissal", "endOfTimeline", "parted"].includes(said.kind)) one.isStreaming = false;
  if (said.kind === "dismissal") one.isDoubtful = true;
  if (said.kind === "streaming") {
    one.isStreaming = true;
    delete one.trouble;
  }
}

/** Its server has ended, and nobody has asked for it. */
export function hasEnded(one: Standby, lastLines: string, nowMs: number): void {
  delete one.server;
  one.isStreaming = false;
  one.trouble = `its server has ended: ${lastLines}`;
  // The pass that finds the pool full holds it.
  const isFull = /no space left on device/iu.test(lastLines);
  one.ends = nowMs - one.startedMs > longRunMs || isFull ? 1 : one.ends + 1;
  one.startAfterMs = nowMs + firstPauseMs * 2 ** one.ends;
  if (one.ends >= mostEnds) one.lost ??= `its server ends again and again: ${lastLines}`;
}

/** Where the data ends that it has for certain; a source of the same timeline is never before it. */
export function certainEnd({ server }: Standby): SourcePosition | undefined {
  const [known, timeline, received] = [server?.known, server?.timeline(), server?.received()];
  return timeline === undefined || received === undefined
    ? known && { timeline: known.timeline, position: known.end }
    : { timeline, position: received };
}

/**
 * Compares what the source has sent again with what was there. A WAL receiver that brings what the server cannot go on with is sent away
 * at once, before anybody sees how far it was: what it has written tells.
 */
export async function verify(one: Standby): Promise<void> {
  const { server } = one;
  if (server === undefined || one.isVerified) return;
  const { known } = server;
  const [received, timeline] = [server.received(), server.timeline()];
  // On another timeline PostgreSQL itself compares: the history of the timelines says where they part.
  const hasCome = received !== undefined && (known === undefined || known.timeline !== timeline || received >= known.end);
  if (!hasCome && !one.isDoubtful) return;
  one.isDoubtful = false;
  const isSame = known === undefined || (await known.isSame());
  if (one.server !== server) return;
  if (!isSame) one.lost ??= anotherHistory;
  else if (hasCome) one.isVerified = true;
}

const anotherHistory = "the source was put back to an earlier state, and has gone another way since";

/** Whether a clone of its data, recovered, would hold all this. */
export function hasAll({ server, isVerified }: Standby, { position, timeline }: SourcePosition): boolean {
  if (server === undefined || !isVerified || !server.isConsistent() || server.timeline() !== timeline) return false;
  const received = server.received();
  return received !== undefined && received >= position;
}

/** In words for people; undefined: it streams, or has only begun. */
export function becauseOf({ lost, refused, held, trouble, isStreaming }: Standby): string | undefined {
  if (refused !== undefined) return `${refused}; until then each snapshot copies the source`;
  if (lost !== undefined) return `${lost}; the next snapshot copies the source and begins another standby`;
  return held ?? (isStreaming ? undefined : trouble);
}
