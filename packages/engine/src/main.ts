/** The engine's process: flags in, JSON log lines out, ends cleanly on SIGTERM. With a command, that command alone. */

import process from "node:process";
import { createLog } from "kube-runtime";
import { isCommand, runCommandOf } from "./admin/commands.ts";
import { readFlags } from "./config/flags.ts";
import { startEngine } from "./engine.ts";
import { wordsOf } from "./failure.ts";

async function runEngine(args: readonly string[]): Promise<number> {
  const flags = readFlags(args, process.env);
  const log = createLog({ level: flags.logLevel });
  try {
    const stopped = Promise.withResolvers<string>();
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stopped.resolve(signal));
    await using engine = await startEngine(flags, log, () => stopped.resolve("an administrator's command"));
    const reason = await stopped.promise;
    log.info({ reason, port: engine.port }, "the engine stops; unfinished jobs go on at its next start");
  } catch (error) {
    log.error({ failure: wordsOf(error) }, "the engine cannot start or go on");
    return 1;
  }
  return 0;
}

/** Exit status 2: the command could not be carried out. */
async function runAdministratorsCommand(args: readonly string[]): Promise<number> {
  try {
    return await runCommandOf(args, {
      input: process.stdin,
      say: (line) => console.log(line),
      write: (bytes) => void process.stdout.write(bytes),
    });
  } catch (error) {
    console.error(wordsOf(error));
    return 2;
  }
}

const args = process.argv.slice(2);
if (isCommand(args[0])) process.exitCode = await runAdministratorsCommand(args);
// A job that a test has stopped at a failpoint would keep the process alive.
else process.exit(await runEngine(args));
