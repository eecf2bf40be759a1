/** What a command shows, on a terminal and through a pipe, without what differs from run to run. */
import { equal } from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type CommandResult, tryRun } from "@vdb/cluster";

export type Way = "pipe" | "terminal";

/** Runs a command line of a shell; on a terminal of 100 columns both streams come as one. */
export async function shownBy(way: Way, words: readonly string[], env: NodeJS.ProcessEnv, input = ""): Promise<CommandResult> {
  const own = { ...env, TERM: "xterm", NO_COLOR: "" };
  if (way === "pipe") return await tryRun("kubectl", ["vdb", ...words], { env: own, input });
  const line = ["kubectl", "vdb", ...words].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  return await tryRun("script", ["-qec", `stty cols 100 rows 40; ${line}`, "/dev/null"], { env: own, input });
}

const escape = "\u001B";

/**
 * What stays on the screen; of times, sizes and made-up names only that they are there. Whether a wait was long enough to be
 * seen differs from run to run, so the progress has no `Pending`, no reason after a phase, no phase right before an error, and of a
 * database its last phase alone.
 */
export function scrubbed(text: string): string {
  return text
    .split("\n")
    .map((line) => afterLastErasure(line.replace(/\r$/u, "")))
    .join("\n")
    .replaceAll("^@", "") // the end of the input, which a terminal echoes until a program has taken it over
    .replaceAll(escape, "<ESC>")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/gu, "<moment>")
    .replaceAll(/\b\d+-APPDATA_SNAPSHOT-\S+?(?=[\s,;:]|$)/gmu, "<snapshot>")
    .replaceAll(/(?:<snapshot> \(<moment>\)(?:, )?)+/gu, "<snapshots>")
    .replaceAll(/\b\w+-(?:VDB|APPDATA_CONTAINER|APPDATA_TIMEFLOW)-\S+?(?=[\s,;:]|$)/gmu, "<id>")
    .replaceAll(/(?<=(?:by-hand|my-postgres-vdb)-(?:snapshot|refresh|rewind|undo|run|plan)-)\w{5}\b/gu, "<random>")
    .replaceAll(/(?<=by-hand-)[0-9a-f]{6,}\b|\b[0-9a-f]{12}\b/gu, "<content>")
    .replaceAll(/(?<![\w.[-])\d+(?:\.\d+)? ?(?:ms|s|m|h|d)\b/gu, "<time>")
    .replaceAll(/(?<=median of the last )\d+/gu, "<n>")
    .replaceAll(/\d+(?:\.\d)? (?:bytes|[KMGT]iB)\b/gu, "<size>")
    .replaceAll(/ {2,}/gu, "  ")
    .replaceAll(/^ {2}<time> {2}(?:<ESC>\[\d+m)?(?:Pending|\w+: ).*\n/gmu, "")
    .replaceAll(/^ {2}<time> {2}(?:<ESC>\[\d+m)?(?:Ready|Deploying|Stopped)\b.*\n(?= {2}<time> )/gmu, "")
    .replaceAll(/^ {2}<time> {2}.*\n(?= {2}<time> {2}(?:<ESC>\[\d+m)?Error)/gmu, "");
}

const afterLastErasure = (line: string): string => line.slice(line.lastIndexOf(`\r${escape}[2K`) + 1).replace(`${escape}[2K`, "");

/** Compares with golden/<name>.txt; with UPDATE_GOLDEN=1 it writes the file, for a person to read. */
export function assertShown(name: string, text: string): void {
  const folder = join(import.meta.dirname, "golden");
  const path = join(folder, `${name}.txt`);
  const shown = scrubbed(text);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, shown);
  }
  equal(shown, readFileSync(path, "utf8"), `${path} differs: if that is meant, run with UPDATE_GOLDEN=1 and read the difference`);
}
