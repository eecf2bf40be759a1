/** Where the files of a run's tests lie, and when they go. */
import { deepEqual, equal, match } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

const module = join(import.meta.dirname, "run-folder.ts");
/** As scripts/run-tests.ts: it ends when it is told to, and goes on until then. */
const script = `const { keepFilesTogether } = await import(${JSON.stringify(module)});
const signal = keepFilesTogether();
(await import("node:fs")).mkdtempSync((await import("node:os")).tmpdir() + "/pod-");
console.log(process.env.TMPDIR);
const goOn = setInterval(() => undefined, 1000);
signal.addEventListener("abort", () => clearInterval(goOn));`;

async function startRun(env: Readonly<Record<string, string>> = {}) {
  const { PATH = "", HOME = "" } = process.env;
  const run = spawn(process.execPath, ["--input-type=module", "-e", script], {
    env: { PATH, HOME, ...env },
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 60_000,
  });
  after(() => void run.kill("SIGKILL"));
  const [said] = await once(run.stdout, "data");
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    run.kill(signal);
    if (run.exitCode === null) await once(run, "exit");
  };
  return { folder: String(said).trim(), end };
}

test("the files of a run go when it is told to end, those of a killed one with the next run", async () => {
  const [told, killed, running] = [await startRun(), await startRun(), await startRun()];
  match(told.folder, /^\/tmp\/vdb-run-\d+$/u);
  await told.end("SIGTERM");
  await killed.end("SIGKILL");
  deepEqual(
    [told, killed, running].map(({ folder }) => existsSync(folder)),
    [false, true, true],
  );
  const next = await startRun();
  deepEqual(
    [killed, running, next].map(({ folder }) => existsSync(folder)),
    [false, true, true],
  );
  for (const run of [running, next]) await run.end("SIGTERM");
  equal(existsSync(next.folder), false);
});

test("a folder that somebody else has chosen stays theirs", async () => {
  const first = await startRun();
  const inside = await startRun({ TMPDIR: first.folder });
  equal(inside.folder, first.folder);
  await inside.end("SIGTERM");
  equal(existsSync(first.folder), true);
  await first.end("SIGTERM");
});
