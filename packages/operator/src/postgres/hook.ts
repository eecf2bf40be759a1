import { createHash } from "node:crypto";
import type { ExecResult } from "kube-runtime";
import { hookScript } from "./generated/hook-script.ts";
import { plainErrors, withoutPaths } from "./plain-words.ts";

/** One hook, script or task as it is run in a pod. */
export interface HookCall {
  /** Names this run: the same token never runs twice in a pod. Letters, digits and dashes. */
  readonly token: string;
  readonly type: "sql" | "command";
  readonly script: string;
  readonly database: string;
  readonly timeoutSeconds: number;
  /** How long one call waits for the end; the hook goes on meanwhile. */
  readonly waitSeconds: number;
  /** How much of the end of its output is kept; 4096 bytes. */
  readonly outputBytes?: number;
  /** SQL that keeps its carriage returns, as psql does with a file: they are part of what it says. */
  readonly asWritten?: boolean;
}

export type HookState =
  | { readonly kind: "running" }
  | { readonly kind: "interrupted"; readonly output: string }
  | { readonly kind: "ended"; readonly exitCode: number; readonly timedOut: boolean; readonly output: string };

/**
 * What an editor on Windows adds: carriage returns at line ends, a byte order mark. `#!` would name a program that is not there,
 * and both would get into the data.
 */
const withPlainLines = (script: string): string => script.replace(/^\uFEFF/u, "").replaceAll(/\r(?=\n|$)/gu, "");

/** What is kept of a hook's output. */
export const hookOutputBytes = 4096;

/** Of its sessions, so that the end of one run ends no other's. At most 63 bytes: PostgreSQL cuts longer names. */
export const sessionName = (token: string): string =>
  `delphix-run ${createHash("sha256").update(token).digest("hex").slice(0, 16)}`;

/** The command for `pods/exec`: it begins the hook or, when it has begun, waits for it. */
export function hookCommand(call: HookCall, runFolder: string): { readonly command: readonly string[]; readonly stdin: string } {
  const { token, type, script, timeoutSeconds: seconds, waitSeconds, outputBytes = hookOutputBytes, asWritten = false } = call;
  const folder = `${runFolder}/hooks/${token}`;
  const times = [String(seconds), type, call.database, String(waitSeconds)];
  return {
    command: ["/bin/sh", "-c", hookScript, "hook", folder, ...times, sessionName(token), String(outputBytes), "verbose"],
    stdin: asWritten && type === "sql" ? script : withPlainLines(script),
  };
}

/** The command that ends whatever runs under a token, with its sessions, and lets nothing begin under it any more. */
export function endHookCommand(
  token: string,
  runFolder: string,
): { readonly command: readonly string[]; readonly stdin: string } {
  const parameters = [`${runFolder}/hooks/${token}`, "10", "end", "postgres", "0", sessionName(token), String(hookOutputBytes)];
  return { command: ["/bin/sh", "-c", hookScript, "hook", ...parameters, "verbose"], stdin: "" };
}

/** What `timeout` answers with when it ended the hook; 137 when it took SIGKILL. */
const timedOutCodes: ReadonlySet<number> = new Set([124, 137]);

export function hookState({ exitCode, stdout, stderr }: Pick<ExecResult, "exitCode" | "stdout" | "stderr">): HookState {
  const [first = "", ...rest] = stdout.split("\n");
  const output = plainErrors(withoutPaths(rest.join("\n"))).trimEnd();
  if (first === "running") return { kind: "running" };
  if (first === "interrupted") return { kind: "interrupted", output };
  const [, code = ""] = /^exit (\d+)$/u.exec(first) ?? [];
  if (code === "") throw new Error(`the runner in the pod ended with exit code ${exitCode}: ${(stderr || stdout).trim()}`);
  return { kind: "ended", exitCode: Number(code), timedOut: timedOutCodes.has(Number(code)), output };
}
