/** Which clusters the sweep ends: a stand-in for `down` writes their names down. */
import { deepEqual, equal } from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const scratch = mkdtempSync(join(tmpdir(), "sweep-"));
after(() => rmSync(scratch, { recursive: true }));
const states = join(scratch, "delphix-operator/clusters");
const env = { PATH: process.env["PATH"], HOME: scratch, XDG_STATE_HOME: scratch };
cpSync(join(import.meta.dirname, "sweep"), join(scratch, "cluster/sweep"));
cpSync(join(import.meta.dirname, "lib/common.sh"), join(scratch, "cluster/lib/common.sh"));
const down = `#!/bin/bash\necho "$CLUSTER_NAME" >>${scratch}/ended; rm -r "${states}/$CLUSTER_NAME"\n`;
writeFileSync(join(scratch, "cluster/down"), down, { mode: 0o755 });
// The folders of the tests' files are the machine's: their names hold this process's number.
const [killedRun, runningRun] = [`ci-${process.pid}`, `ci-${process.pid}0`];
const filesOf = (run: string): string => join("/tmp", `vdb-${run}`);
after(() => [killedRun, runningRun].forEach((run) => rmSync(filesOf(run), { recursive: true, force: true })));
for (const name of [killedRun, `${killedRun}-2`, runningRun, "mine"]) mkdirSync(join(states, name), { recursive: true });

/** A test run as scripts/test begins one: it takes its lock, and starts something that outlives it. */
async function startRun(name: string): Promise<ChildProcess> {
  const script = `. cluster/lib/common.sh; take_lock 5 "$state_home/.${name}.run" "another run"
main() { sleep 60 & echo $!; wait; }
main 5>&-`;
  const run = spawn("/bin/bash", ["-c", script], { cwd: scratch, env, stdio: ["ignore", "pipe", "inherit"], timeout: 30_000 });
  const [pid] = await once(run.stdout, "data");
  after(() => void process.kill(Number(String(pid))));
  return run;
}

test("clusters and files of a killed run are ended; those of a running one, and clusters that no run made, stay", async () => {
  const [killed, running] = [await startRun(killedRun), await startRun(runningRun)];
  for (const run of [killedRun, runningRun]) mkdirSync(join(filesOf(run), "pod-abc"), { recursive: true });
  killed.kill("SIGKILL");
  await once(killed, "exit");
  equal(spawnSync(join(scratch, "cluster/sweep"), { env }).status, 0);
  deepEqual(readFileSync(join(scratch, "ended"), "utf8").trim().split("\n"), [killedRun, `${killedRun}-2`]);
  deepEqual(
    [killedRun, runningRun].map((run) => existsSync(filesOf(run))),
    [false, true],
  );
  deepEqual(readdirSync(states).toSorted(), [`.${runningRun}.run`, runningRun, "mine"]);
  running.kill("SIGKILL");
});

test("a second run on a cluster of the same name waits for the first", async () => {
  const first = await startRun("again");
  const script = `. cluster/lib/common.sh; take_lock 5 "$state_home/.again.run" "another run"; touch held`;
  const second = spawn("/bin/bash", ["-c", script, "test"], {
    cwd: scratch,
    env,
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 30_000,
  });
  const [said] = await once(second.stdout, "data");
  equal(String(said), "test: another run is running: waiting for it\n");
  equal(existsSync(join(scratch, "held")), false);
  first.kill("SIGKILL");
  await once(second, "exit");
  equal(existsSync(join(scratch, "held")), true);
});

test("what a killed build has left goes; another build that still runs keeps its folder", () => {
  const cache = join(scratch, "cache/delphix-operator");
  const script = `. cluster/lib/common.sh
make_build_folder; mkdir "$scratch/read-only"; chmod 500 "$scratch/read-only"
(make_build_folder; touch "$scratch/killed")
sweep_builds; ls "$cache"/.build.*`;
  const { stdout } = spawnSync("/bin/bash", ["-c", script], {
    cwd: scratch,
    env: { ...env, XDG_CACHE_HOME: join(scratch, "cache") },
    encoding: "utf8",
  });
  deepEqual([stdout, readdirSync(cache).length], ["read-only\n", 1]);
});
