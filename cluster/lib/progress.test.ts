import { equal, match, ok } from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const scratch = mkdtempSync(join(tmpdir(), "progress-"));
after(() => rmSync(scratch, { recursive: true }));

/** A script that builds by `make`, under the lock of builds, and tidies up behind itself. */
function build(make: string): ChildProcess {
  const script = `set -euo pipefail; . "$1/common.sh"; . "$1/progress.sh"
clean_up() { echo "the group is gone: $(kill -0 -- "-$(cat group)" 2>/dev/null && echo no || echo yes)" >cleaned; }
exec 8>lock; flock 8
make() { echo "$BASHPID" >group; ${make}; }
with_progress building no_status make`;
  return spawn("/bin/bash", ["-c", script, "tools", import.meta.dirname], {
    cwd: scratch,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 20_000,
  });
}

async function text(name: string): Promise<string> {
  const file = join(scratch, name);
  for (let tries = 0; tries < 500 && (!existsSync(file) || readFileSync(file, "utf8") === ""); tries += 1) await sleep(20);
  return readFileSync(file, "utf8").trim();
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} ends a build with all its processes before their files are removed`, { timeout: 30_000 }, async () => {
    for (const name of ["cleaned", "group", "compiler"]) rmSync(join(scratch, name), { force: true });
    const script = build("sleep 300 & echo $! >compiler; wait");
    const compiler = await text("compiler");
    script.kill(signal);
    await once(script, "exit");
    equal(await text("cleaned"), "the group is gone: yes");
    ok(!existsSync(`/proc/${compiler}`), "and the lock that it held is free");
  });
}

test("a build that fails says so with the end of its output", { timeout: 30_000 }, async () => {
  const script = build("echo no such module; return 3");
  let said = "";
  for (const stream of [script.stdout, script.stderr]) stream?.on("data", (chunk: Buffer) => void (said += chunk.toString()));
  const [status] = await once(script, "close");
  equal(status, 3);
  match(said, /no such module[^]*building: failed after 0 min/u);
});

const paces: readonly (readonly [seconds: number, done: number, all: number, said: string])[] = [
  [31, 200, 5281, ""], // as yet a guess
  [123, 1046, 5281, "; about 9 min left"],
  [570, 4700, 5281, "; about 2 min left"],
  [700, 5400, 5281, "; about 1 min left"], // more than there were when they were counted
];
for (const [seconds, done, all, said] of paces) {
  test(`what is left after ${seconds} s and ${done} of ${all}: "${said}"`, () => {
    const script = `. "$1/common.sh"; . "$1/progress.sh"; at_this_pace ${seconds} ${done} ${all}`;
    equal(execFileSync("/bin/bash", ["-c", script, "tools", import.meta.dirname], { encoding: "utf8" }).trim(), said);
  });
}
