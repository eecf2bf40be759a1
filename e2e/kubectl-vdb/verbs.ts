/** What every user of kubectl vdb is seen doing: each verb, and what each of them needs. */
import { scrubbed } from "./shown.ts";

/** The database that they work on. */
export const database = "by-hand";

export interface Verb {
  /** Of its golden files. */
  readonly as: string;
  readonly words: readonly string[];
  readonly input?: string;
  /** The right that the role view lacks for it; left out: view is enough. */
  readonly needs?: string;
  readonly exitCode?: number;
  /** Which of its lines are the same from run to run; all unless told. */
  readonly lasting?: (lines: readonly string[]) => readonly string[];
  /** What has to be in the others. */
  readonly has?: readonly RegExp[];
}

/**
 * Of a story, what actions and hooks did: events and logs tell of waits that were long enough to be noticed. Sorted, for what is of
 * one second comes in any order.
 */
const ofActions = (lines: readonly string[]): readonly string[] => {
  const told = lines.filter((line) => /Z {2}(?:action|hook) {2}/u.test(line)).map((line) => scrubbed(line));
  return [...new Set(told)].toSorted((a, b) => (a < b ? -1 : 1));
};
/** Of a report, its parts, and the whole of the last one. */
const outline = (lines: readonly string[]): readonly string[] => {
  const last = lines.findLastIndex((line) => line.startsWith("==== "));
  return lines.filter((line, at) => line.startsWith("==== ") || at > last);
};

const creates = (plural: string): string => `create ${plural}.actions.delphix.com`;
/** In an order in which each finds what it needs. */
export const verbs: readonly Verb[] = [
  { as: "list", words: ["list"] },
  { as: "list-wide", words: ["list", "-o", "wide"] },
  { as: "status", words: ["status", database] },
  { as: "tree", words: ["tree"] },
  { as: "snapshot", words: ["snapshot", database], needs: creates("vdbsnapshots") },
  { as: "plan", words: ["plan", "refresh", database], needs: creates("vdbrefreshes") },
  { as: "refresh", words: ["refresh", database], needs: creates("vdbrefreshes") },
  { as: "undo", words: ["undo", database], needs: creates("vdbrewinds") },
  { as: "rewind", words: ["rewind", database], needs: creates("vdbrewinds") },
  { as: "rewind-to-nothing", words: ["rewind", database, "--snapshot", "nothing"], needs: creates("vdbrewinds"), exitCode: 1 },
  { as: "run", words: ["run", database, "SELECT 40 + 2 AS sum"], needs: creates("postgrestasks") },
  { as: "run-failing", words: ["run", database, "SELECT nothing"], needs: creates("postgrestasks"), exitCode: 3 },
  { as: "psql", words: ["psql", database, "--", "-qXAt", "-c", "SELECT 40 + 2"], needs: "create pods/exec" },
  { as: "stop", words: ["stop", database], needs: "patch postgresvdbs.core.delphix.com" },
  { as: "status-stopped", words: ["status", database] },
  { as: "start", words: ["start", database], needs: "patch postgresvdbs.core.delphix.com" },
  { as: "extend", words: ["extend", database, "8h"], needs: "patch postgresvdbs.core.delphix.com" },
  { as: "wait", words: ["wait", database, "--timeout", "2m"] },
  { as: "wait-in-vain", words: ["wait", database, "--for=stopped", "--timeout=1s"], exitCode: 124 },
  { as: "plan-delete", words: ["plan", "delete", database] },
  { as: "doctor", words: ["doctor"] },
  { as: "completion", words: ["completion"] },
  {
    as: "logs",
    words: ["logs", database],
    lasting: ofActions,
    has: [/Z {2}postgres {2}.*ready to accept connections/u, /Z {2}event {5}PostgresVDB by-hand: /u],
  },
  {
    as: "report",
    words: ["report", database],
    lasting: outline,
    has: [/^kind: PostgresVDB\r?$/mu, /ready to accept connections/u],
  },
];
