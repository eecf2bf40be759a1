import { stableWords } from "./stable-words.ts";

/** How a container ended, as the kubelet tells it. */
export interface End {
  readonly exitCode: number;
  readonly reason?: string;
  readonly message?: string;
}

/** Pure: how PostgreSQL ended, in words that are the same after each try. */
export function endOf({ exitCode, reason, message = "" }: End): string {
  const words = lastWords(message);
  const how =
    reason === "OOMKilled" ? `ran out of memory and was killed (exit code ${exitCode})` : `ended with exit code ${exitCode}`;
  return `PostgreSQL ${how}; ${words === "" ? "it printed nothing" : `its last output: ${words}`}`;
}

/** PostgreSQL's own levels. What stands before them is log_line_prefix: moments, process numbers, whatever the source has set. */
const level = /^.*?\b(PANIC|FATAL|ERROR|WARNING|LOG|DETAIL|HINT):\s+/u;
const grave = /^(?:PANIC|FATAL|ERROR): /u;

/** The gravest lines with their hints; without any of those, the last few lines. */
function lastWords(message: string): string {
  const lines = message
    .split("\n")
    .map((line) => stableWords(line.replace(level, "$1: ")))
    .filter((line) => line !== "");
  const first = lines.findIndex((line) => grave.test(line));
  const said =
    first === -1 ? lines.slice(-3) : lines.slice(first).filter((line) => /^(?:PANIC|FATAL|ERROR|DETAIL|HINT): /u.test(line));
  return [...new Set(said)].join("; ").slice(0, 1500);
}

const mendedByMemory = "raise spec.resources.limits.memory";
/** By what was said, the first that fits. */
const advices: readonly (readonly [RegExp, string])[] = [
  [
    /could not map anonymous shared memory|Cannot allocate memory|out of memory/iu,
    `lower shared_buffers in spec.postgresConfig, or ${mendedByMemory}`,
  ],
  [/No space left on device/iu, "free some space in the storage that holds the volume"],
  [
    /could not locate a (?:valid|required) checkpoint|invalid (?:primary )?checkpoint|could not read file "global\/|WAL ends before|requested timeline/iu,
    "PostgreSQL cannot recover the data: delete this PostgresVDB and apply it again, from another snapshot if this happens again",
  ],
  [
    /Permission denied|has (?:invalid permissions|wrong ownership)/iu,
    "set spec.ownershipSpec to the owner of the data, or give that owner the missing permissions",
  ],
  [
    /could not load library|could not access file/iu,
    "set spec.image to an image that has this library, or remove the library from spec.postgresConfig",
  ],
];

/** Pure: what a person can do about an end that comes again and again. */
export function adviceFor({ exitCode, reason, message = "" }: End): string {
  if (reason === "OOMKilled") return mendedByMemory;
  const fitting = advices.find(([words]) => words.test(message));
  if (fitting !== undefined) return fitting[1];
  switch (exitCode) {
    case 126:
    case 127:
      return "the image lacks a program that the pod needs: set spec.image to an image of PostgreSQL";
    case 137: // SIGKILL
      return `something outside the container killed it, most often because memory ran out: ${mendedByMemory}`;
    case 135: // SIGBUS
      return `it used memory that the node could not provide: set huge_pages to off in spec.postgresConfig, or ${mendedByMemory}`;
    case 132: // SIGILL
    case 134: // SIGABRT
    case 139: // SIGSEGV
      return "the program itself crashed: set spec.image to another build of the same PostgreSQL version";
    default:
      return message.trim() === ""
        ? "read the log of the previous container (kubectl logs --previous)"
        : "do what the output says";
  }
}
