import { durationMilliseconds } from "@vdb/api";
import { type Command, InvalidArgumentError, Option } from "commander";
import { timestamp } from "kube-runtime";
import { type Format, formats } from "../text/print.ts";
import type { ConnectionFlags } from "../world.ts";

/** Where a verb leaves its exit code. */
export type End = (exitCode: number) => void;

export interface OutputFlags {
  readonly output?: Format;
}
export const outputOption = (): Option =>
  new Option("-o, --output <format>", "print the object instead of words").choices(formats);

/** The flags that every verb knows, as kubectl calls them. */
export function addConnectionOptions(program: Command): void {
  program
    .option("-n, --namespace <namespace>", "the namespace; that of the context unless told")
    .option("--context <name>", "the context of the kubeconfig")
    .option("--kubeconfig <file>", "the kubeconfig file")
    .option("--as <user>", "act as this user (impersonation)");
}

export const dryRuns = ["none", "client", "server"] as const;
/** How a verb that changes something goes about it. */
export interface ChangeFlags extends ConnectionFlags, OutputFlags {
  readonly dryRun: (typeof dryRuns)[number];
  readonly wait: boolean;
}
export function addChangeOptions(command: Command): Command {
  return command
    .addOption(outputOption())
    .addOption(
      new Option(
        "--dry-run <strategy>",
        "client: print the object, send nothing; server: let the API server check it, store nothing",
      )
        .choices(dryRuns)
        .default("none", "none"),
    )
    .option("--no-wait", "do not follow it to its end");
}

/** `30s`, `1h30m`, in milliseconds. */
export function milliseconds(text: string): number {
  try {
    return durationMilliseconds(text);
  } catch {
    throw new InvalidArgumentError("It must be a duration, for example 90s, 30m or 1h30m.");
  }
}

/** The same in whole seconds. */
export function wholeSeconds(text: string): number {
  const seconds = milliseconds(text) / 1000;
  if (Number.isInteger(seconds)) return seconds;
  throw new InvalidArgumentError("It must be whole seconds, for example 90s.");
}

/** A moment as the API takes it. `2026-01-31 12:00` without a zone would mean another moment on another machine. */
export function moment(text: string): string {
  const read = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/u.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(read))
    throw new InvalidArgumentError(
      "It must be a moment with its zone, for example 2026-01-31T12:00:00Z or 2026-01-31T13:00+01:00.",
    );
  return timestamp(read);
}
