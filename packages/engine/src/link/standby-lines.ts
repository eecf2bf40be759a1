/** What a standby says in its log, as far as the engine acts upon it. Its words are PostgreSQL's (14 to 18), in English. */
import { formatPosition, parsePosition } from "./wal-position.ts";

export type Said =
  /** From here on a clone of its data can be recovered by itself. */
  | { readonly kind: "consistent" }
  | { readonly kind: "streaming"; readonly position: bigint; readonly timeline: number }
  /** The source has no more of this timeline. */
  | { readonly kind: "endOfTimeline" }
  /** It has sent its WAL receiver away: it does so at the end of a timeline, and when what comes does not continue what it has. */
  | { readonly kind: "dismissal" }
  /** Its connection has ended, and it may not make another one by itself. */
  | { readonly kind: "parted" }
  /** It goes on trying. */
  | { readonly kind: "trouble"; readonly because: string }
  /** It can never follow this source again: a copy has to take its place. */
  | { readonly kind: "lost"; readonly because: string };

const position = "([0-9A-F]+/[0-9A-F]+)";
const streaming = new RegExp(`started (?:streaming WAL from primary|WAL streaming) at ${position} on timeline (\\d+)`, "u");
const replaying = /startup .*([0-9A-F]{24})/u;
const receiving = new RegExp(`walreceiver .*streaming ${position}`, "u");

/** Why, in words for people, by what PostgreSQL says. */
const losses: readonly (readonly [RegExp, string])[] = [
  [
    /requested WAL segment \w+ has already been removed/u,
    "the source has removed WAL that the standby has not received: raise wal_keep_size at the source if this happens often",
  ],
  [/forked off current database system timeline/u, "the source has failed over to a server that has lost its last changes"],
  [
    /requested timeline \d+ does not contain minimum recovery point/u,
    "the source has failed over to a server that has lost its last changes",
  ],
  [/is not in this server's history/u, "the source has another history than the standby"],
  [/highest timeline \d+ of the primary is behind recovery timeline/u, "the source has gone back to an earlier timeline"],
  [/is ahead of the WAL flush position of this server/u, "the source has gone back to an earlier position"],
  [/database system identifier differs between the primary and standby/u, "the source is another database cluster than before"],
  [
    /WAL was generated with "?wal_level=minimal"?/u,
    "the source has written WAL with wal_level minimal, which leaves changes out",
  ],
  // It would have to lie where the source has it.
  [/WAL redo at [0-9A-F/]+ for Tablespace\/CREATE/u, "the source has made a tablespace"],
];

/** So often a receiver is sent away without the end of a timeline before the engine believes it. */
const mostDismissals = 3;

/** Finds out from what a standby says one thing after the other that it receives what does not continue its WAL. */
export function misfits(): (said: Said) => Said {
  let [dismissals, isAtEnd] = [0, false];
  return (said) => {
    if (said.kind === "endOfTimeline") [dismissals, isAtEnd] = [0, true];
    if (said.kind === "streaming") isAtEnd = false;
    if (said.kind !== "dismissal" || isAtEnd) return said;
    dismissals += 1;
    return dismissals < mostDismissals
      ? said
      : { kind: "lost", because: "the WAL of the source does not continue the standby's" };
  };
}

export function heard(line: string): Said | undefined {
  if (line.includes("consistent recovery state reached")) return { kind: "consistent" };
  const [, at, timeline] = streaming.exec(line) ?? [];
  if (at !== undefined) return { kind: "streaming", position: parsePosition(at), timeline: Number(timeline) };
  if (line.includes("replication terminated by primary server")) return { kind: "endOfTimeline" };
  if (line.includes("terminating walreceiver process due to administrator command")) return { kind: "dismissal" };
  if (/service file ".*" not found/u.test(line)) return { kind: "parted" };
  const lost = losses.find(([words]) => words.test(line));
  if (lost !== undefined) return { kind: "lost", because: lost[1] };
  const [, failure] = /^(?:FATAL|PANIC): {2}(.*)$/u.exec(line) ?? [];
  return failure === undefined ? undefined : { kind: "trouble", because: failure };
}

/** Up to where a WAL receiver has written the WAL to its disk, by the title that it gives its process. */
export function receivedBy(titles: readonly string[]): bigint | undefined {
  const [, at] = titles.map((title) => receiving.exec(title)).find((found) => found !== null) ?? [];
  return at === undefined ? undefined : parsePosition(at);
}

/** Which segment a server replays. Whether it waits for more of it changes every moment, also when nothing comes that it can go on with. */
export const replayedBy = (titles: readonly string[]): string | undefined =>
  titles.map((title) => replaying.exec(title)?.[1]).find((segment) => segment !== undefined);

/**
 * Whether data that was recovered contains all that its source had on disk at `position`. Its own checkpoint follows what was replayed.
 * A source may flush half a record, which nobody can replay: then the position is the beginning of a page.
 */
export function contains(
  recovered: { readonly checkpointLsn: string; readonly timeline: number },
  source: {
    readonly position: bigint;
    readonly timeline: number;
  },
): boolean {
  if (recovered.timeline !== source.timeline) return false;
  const isHalfRecord = source.position % pageBytes < longestPageHeader;
  return parsePosition(recovered.checkpointLsn) >= source.position - (isHalfRecord ? longestRecord : 0n);
}

const pageBytes = 8192n;
const longestPageHeader = 64n;
/** Longer ones exist (commits that drop thousands of tables), and cost one more copy. */
const longestRecord = 2n ** 20n;

export const shownPosition = ({ position: at, timeline }: { readonly position: bigint; readonly timeline: number }): string =>
  `${formatPosition(at)} on timeline ${timeline}`;
