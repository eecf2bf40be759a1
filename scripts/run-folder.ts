import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const library = join(import.meta.dirname, "../cluster/lib/common.sh");
const common = (call: string): string =>
  execFileSync("/bin/bash", ["-c", `. '${library}' && ${call}`], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

/**
 * Has the tests of this run keep their files in one folder, which goes with the run, by whatever signal it ends; what a run
 * that was killed has left goes first. Where TMPDIR is set already, that is somebody else's to tidy up (`scripts/test`).
 * The answer aborts when the run is to end.
 */
export function keepFilesTogether(): AbortSignal {
  const end = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => end.abort(name));
  if (process.env["TMPDIR"] !== undefined) return end.signal;
  const name = `run-${process.pid}`;
  common("sweep_scratch");
  const folder = common(`scratch_of ${name}`).trim();
  mkdirSync(folder);
  chmodSync(folder, 0o1777); // servers in it are not root's
  process.env["TMPDIR"] = folder;
  process.on("exit", () => common(`remove_scratch ${name}`));
  return end.signal;
}
