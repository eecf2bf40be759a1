/** The start script as what runs in a container, run as the data's owner, as in the pod; on PostgreSQL 16.2. */
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { asOwner, owner, type Pod, programs, startPod } from "./testing/postgres.ts";
import { running, sourceData } from "./testing/source-data.ts";
import { until } from "./testing/until.ts";

/** Waits until the pod itself waits for the end of another on its data. */
const waits = async (pod: Pod): Promise<true> =>
  await until("it says that it waits", () => /another pod's PostgreSQL still runs on this data/u.test(pod.printed()), 60);

/** Whether a signal ends it within a minute; it is killed afterwards. */
async function endsAt(pod: Pod, signal: NodeJS.Signals): Promise<boolean> {
  const late = new AbortController();
  const ended = await Promise.race([
    pod.stop(signal).then(() => true),
    sleep(60_000, false, { signal: late.signal }).catch(() => false),
  ]);
  late.abort();
  if (!ended) await pod.stop("SIGKILL");
  return ended;
}

describe("the start script in its container", { timeout: 600_000 }, () => {
  const { clone } = sourceData();

  test("the group-writable mode that a volume's fsGroup leaves is mended", async () => {
    const mount = clone((data) => execFileSync("chmod", ["0770", data]));
    const pod = await startPod(mount, { contentId: "x" });
    await running(pod, () => equal(pod.sql("SELECT 1"), "1"));
  });

  test("killed without warning, it recovers by itself, in the same pod and in another", async () => {
    const mount = clone();
    const first = await startPod(mount, { contentId: "x" });
    await first.answers();
    first.sql("CREATE TABLE kept AS SELECT 42 AS n");
    // As `kill -9` does it in the pod: the script ends when the postmaster has, and the container with it.
    process.kill(Number(readFileSync(join(mount, "data/postmaster.pid"), "utf8").split("\n")[0]), "SIGKILL");
    equal(await first.exited, 137);
    const second = await first.again();
    await second.answers();
    equal(second.sql("SELECT n FROM kept"), "42");
    await second.stop("SIGKILL");
    const third = await startPod(mount, { contentId: "x" });
    await running(third, () => equal(third.sql("SELECT n FROM kept"), "42"));
  });

  test("what the pod's former container left does not keep the next from starting", async () => {
    const mount = clone();
    const first = await startPod(mount, { contentId: "x" });
    await first.answers();
    await first.stop("SIGKILL");
    const other = spawn("sleep", ["60"], owner); // has the former postmaster's number by now
    const port = String(first.port);
    writeFileSync(join(first.run, `.s.PGSQL.${port}.lock`), `${other.pid}\n${mount}/data\n1\n${port}\n${first.run}\n`);
    writeFileSync(join(first.shm, "PostgreSQL.123"), "");
    for (const name of ["settings.conf", "settings.started", "pg_hba.conf", "postgresql.conf", "check", "stopping"]) {
      writeFileSync(join(first.run, name), "half a li");
      chmodSync(join(first.run, name), 0o400);
      chownSync(join(first.run, name), owner.uid, owner.gid);
    }
    const second = await first.again();
    await running(second, () => {
      equal(second.sql("SELECT 1"), "1");
      equal(existsSync(join(second.run, "stopping")), false);
      deepEqual(
        readdirSync(second.shm).filter((name) => name === "PostgreSQL.123"),
        [],
      );
    });
    other.kill();
  });

  test("a second pod on the same data waits until the first has ended, with all its processes", async () => {
    const mount = clone();
    const first = await startPod(mount, { contentId: "x" });
    await first.answers();
    const second = await startPod(mount, { contentId: "x" });
    await waits(second);
    throws(() => second.sql("SELECT 1"), "the second has not started");
    const third = await startPod(mount, { contentId: "x" });
    await waits(third);
    ok(await endsAt(third, "SIGTERM"), "one that waits can be deleted");
    equal(first.sql("SELECT 1"), "1");
    await first.stop();
    await running(second, () => equal(second.sql("SELECT 1"), "1"));
  });

  test("SIGTERM shuts it down at once and cleanly, whoever is connected", async () => {
    const mount = clone();
    const pod = await startPod(mount, { contentId: "x" });
    await pod.answers();
    const client = spawn(
      join(programs, "psql"),
      ["-h", pod.run, "-p", String(pod.port), "-U", "postgres", "-XAtqc", "SELECT pg_sleep(600)"],
      {
        stdio: "ignore",
      },
    );
    const sleepers = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(600)'";
    await until("somebody is connected", () => pod.sql(sleepers) === "1", 60);
    ok(await endsAt(pod, "SIGTERM"), "it does not wait for its clients");
    equal(await pod.exited, 0, "a clean end is told as one");
    client.kill();
    match(asOwner("pg_controldata", [join(mount, "data")]), /state: +shut down\n/u);
  });

  test("it is written for any POSIX shell", () => {
    for (const shell of ["/bin/dash", "/bin/bash"]) {
      if (existsSync(shell)) execFileSync(shell, ["-n", new URL("../src/postgres/start.sh", import.meta.url).pathname]);
    }
    ok(programs);
  });
});
