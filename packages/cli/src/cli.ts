import { Command, CommanderError } from "commander";
import { errorMessage, isApiError } from "kube-runtime";
import manifest from "../package.json" with { type: "json" };
import { Complaint, interrupted } from "./complaint.ts";
import { painted } from "./text/style.ts";
import { defineDataVerbs } from "./verbs/change-data.ts";
import { complete, completeWord, defineCompletion } from "./verbs/completion.ts";
import { defineDoctor } from "./verbs/doctor.ts";
import { defineEnable } from "./verbs/enable.ts";
import { defineExtend } from "./verbs/extend.ts";
import { defineList } from "./verbs/list.ts";
import { defineLogs } from "./verbs/logs.ts";
import { addConnectionOptions, type End } from "./verbs/options.ts";
import { definePlan } from "./verbs/plan.ts";
import { definePsql } from "./verbs/psql.ts";
import { defineReport } from "./verbs/report.ts";
import { defineRun } from "./verbs/run.ts";
import { defineStatus } from "./verbs/status.ts";
import { defineTree } from "./verbs/tree.ts";
import { defineWait } from "./verbs/wait.ts";
import type { World } from "./world.ts";

/** Runs one command line, without the program's own name, and gives its exit code. Never throws. */
export async function runCli(words: readonly string[], world: World): Promise<number> {
  const ended = { exitCode: 0 };
  const program = createProgram(world, (exitCode) => {
    ended.exitCode = exitCode;
  });
  try {
    if (words[0] === completeWord) await complete(program, words.slice(1), world);
    else await program.parseAsync(words, { from: "user" });
    return ended.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode; // it has printed its words already
    if (world.signal.aborted && !(error instanceof Complaint)) return interrupted; // whoever has pressed Ctrl-C knows
    world.stderr.write(complaintText(error, world));
    return error instanceof Complaint ? error.exitCode : 1;
  }
}

/** Every verb in the order of the help. */
export function createProgram(world: World, end: End): Command {
  const program = new Command("kubectl vdb")
    .description("Virtual PostgreSQL databases by hand: for people who have a kubeconfig.")
    .version(manifest.version)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: world.stdout.write,
      writeErr: world.stderr.write,
      outputError: (text, write) => write(text.replace(/^error: /u, `${painted(world.stderr, "bad", "error:")} `)),
      getOutHelpWidth: () => world.stdout.columns,
      getErrHelpWidth: () => world.stderr.columns,
      getOutHasColors: () => world.stdout.hasColours,
      getErrHasColors: () => world.stderr.hasColours,
    });
  addConnectionOptions(program);
  defineList(program, world, end);
  defineStatus(program, world, end);
  defineDataVerbs(program, world, end);
  definePlan(program, world, end);
  defineRun(program, world, end);
  defineEnable(program, world, end);
  defineExtend(program, world, end);
  defineWait(program, world, end);
  definePsql(program, world, end);
  defineLogs(program, world, end);
  defineTree(program, world, end);
  defineDoctor(program, world, end);
  defineReport(program, world, end);
  defineCompletion(program, world, end);
  return program;
}

function complaintText(error: unknown, { stderr }: World): string {
  const lines = [`${painted(stderr, "bad", "error:")} ${errorMessage(error)}`, ...adviceOf(error).map((line) => `  ${line}`)];
  return lines.map((line) => `${line}\n`).join("");
}

function adviceOf(error: unknown): readonly string[] {
  if (error instanceof Complaint) return error.advice;
  if (isApiError(error, "unauthorized"))
    return ["the API server does not know who asks: are the kubeconfig's credentials still valid?"];
  if (isApiError(error, "unavailable"))
    return ["is the kubeconfig's context the right one? kubectl config current-context names it"];
  return [];
}
