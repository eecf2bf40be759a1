/**
 * Loaded into every test file: one that is still running long after its last test has left something open (a socket, a timer,
 * a process), and fails, saying what. Without this the run would never end; `--test-force-exit` ends it too, but loses
 * results that are still on their way to the runner.
 */
import process from "node:process";
import { after } from "node:test";

/** The file's own clean-up hooks run within this time. */
const graceSeconds = 180;

function fail(): void {
  console.error(`${process.argv[1]}: the tests left open: ${process.getActiveResourcesInfo().toSorted().join(", ")}`);
  process.exit(1);
}

after(() => void setTimeout(fail, graceSeconds * 1000).unref());
