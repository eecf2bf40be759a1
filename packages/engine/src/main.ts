/** The engine's process: flags in, JSON log lines out, ends cleanly on SIGTERM. */
import process from "node:process";
import { createLog } from "kube-runtime";
import { readFlags } from "./config/flags.ts";
import { startEngine } from "./engine.ts";

const flags = readFlags(process.argv.slice(2), process.env);
const log = createLog({ level: flags.logLevel });

async function main(): Promise<void> {
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
  });
  await using engine = await startEngine(flags, log);
  const signal = await stopped;
  log.info({ signal, port: engine.port }, "the engine stops; unfinished jobs go on at its next start");
}

try {
  await main();
  process.exit(0); // a job that a test has stopped at a failpoint would keep the process alive
} catch (error) {
  log.error({ failure: error instanceof Error ? error.message : String(error) }, "the engine cannot start or go on");
  process.exit(1);
}
