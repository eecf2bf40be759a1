/** The start script on real data directories of PostgreSQL 16.2, run as the data's owner, as in the pod. */
import { deepEqual, equal, match, notEqual, ok, throws } from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { asOwner, copyCluster, newCluster, owner, type Pod, programs, scratch, startPod } from "./support/postgres.ts";

const folder = scratch();
const template = join(folder.path, "template");
let count = 0;

/** A fresh copy of a cluster that was in production: everything in it that would hurt a clone. */
function clone(change: (data: string) => void = () => undefined): string {
  const mount = join(folder.path, `mount-${++count}`);
  copyCluster(template, mount);
  change(join(mount, "data"));
  execFileSync("chown", ["-R", `${owner.uid}:${owner.gid}`, mount]);
  return mount;
}

/** With the server in the pod; afterwards it is killed, and has to come up in another container of the same pod. */
async function running<T>(pod: Pod, work: () => T | Promise<T>): Promise<T> {
  try {
    await pod.answers();
    return await work();
  } finally {
    await pod.stop("SIGKILL");
    const next = await pod.again();
    await next.answers();
    await next.stop();
  }
}

async function refused(mount: string, options: Parameters<typeof startPod>[1]): Promise<string> {
  const pod = await startPod(mount, options);
  notEqual(await pod.exited, 0);
  const message = pod.terminationMessage();
  const next = await pod.again();
  notEqual(await next.exited, 0);
  equal(next.terminationMessage(), message, "the pod's next container says the same");
  return message;
}

const empty = (data: string): void => {
  rmSync(data, { recursive: true });
  mkdirSync(data);
};
/** The configuration of a machine with more memory than any pod. */
const big = (data: string): void => appendFileSync(join(data, "postgresql.conf"), "shared_buffers = 900GB\n");

/** A setting of the source that no server takes. */
const bad = (data: string): void => appendFileSync(join(data, "postgresql.conf"), "work_mem = 'lots'\n");

describe("the start script", { timeout: 600_000 }, () => {
  before(() => newCluster(template));
  after(() => folder[Symbol.dispose]());

  test("settings of production that would hurt are dropped, harmless ones stay, the manifest's win", async () => {
    const mount = clone((data) => {
      appendFileSync(
        join(data, "postgresql.conf"),
        [
          "port = 6000",
          "listen_addresses = '10.1.2.3'",
          "archive_mode = on",
          "archive_command = 'curl http://backup/%f'",
          "ssl = on",
          "ssl_cert_file = '/absent'",
          "shared_preload_libraries = 'absent_library, pg_cron'",
          "Work_Mem = 5MB",
          "maintenance_work_mem '77MB' # comment",
          "include_dir 'conf.d'",
          "logging_collector = on",
          "data_directory = '/elsewhere'",
          "synchronous_standby_names = '*'",
          "",
        ].join("\n"),
      );
      mkdirSync(join(data, "conf.d"));
      writeFileSync(join(data, "conf.d/a.conf"), "random_page_cost = 1.5\nprimary_conninfo = 'host=production'\n");
      writeFileSync(join(data, "postgresql.auto.conf"), "work_mem = '6MB'\nrestore_command = 'false'\ndeadlock_timeout = '3s'\n");
    });
    const pod = await startPod(mount, { contentId: "c1", settings: "deadlock_timeout = '4s'\n" });
    await running(pod, () => {
      const show = (name: string) => pod.sql(`SHOW ${name}`);
      equal(show("port"), String(pod.port));
      equal(show("listen_addresses"), "*");
      equal(show("archive_mode"), "off");
      equal(show("archive_command"), "(disabled)");
      equal(show("ssl"), "off");
      equal(show("shared_preload_libraries"), "");
      equal(show("synchronous_standby_names"), "");
      equal(show("primary_conninfo"), "");
      equal(show("logging_collector"), "off");
      equal(show("work_mem"), "6MB", "ALTER SYSTEM of the source beats its postgresql.conf");
      equal(show("maintenance_work_mem"), "77MB");
      equal(show("random_page_cost"), "1.5", "included files count");
      equal(show("deadlock_timeout"), "4s", "the manifest beats ALTER SYSTEM of the source");
      equal(show("recovery_init_sync_method"), "syncfs");
      equal(pod.sql("SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL"), "0");
    });
    const dropped = readFileSync(join(mount, "data/vdb-dropped-settings"), "utf8").trim().split("\n");
    ok(dropped.includes("archive_command") && dropped.includes("shared_preload_libraries:absent_library"), dropped.join(" "));
    equal(readFileSync(join(mount, "data/postgresql.auto.conf"), "utf8"), "");
  });

  test("WAL segments that the default limits do not hold twice: it starts, whatever is left of the source's settings", async () => {
    const source = join(folder.path, "large-segments");
    newCluster(source, "postgres", ["--wal-segsize=64"]);
    const withConf = async (text: string, settings: string, want: string): Promise<void> => {
      const mount = join(folder.path, `mount-${++count}`);
      copyCluster(source, mount);
      writeFileSync(join(mount, "data/postgresql.conf"), text);
      const pod = await startPod(mount, { contentId: "c1", settings });
      await running(pod, () => equal(pod.sql("SHOW min_wal_size"), want, text));
    };
    await withConf("", "", "128MB");
    await withConf("min_wal_size = 80MB\nshared_buffers = 900GB\n", "", "128MB");
    await withConf("min_wal_size = 192MB\n", "", "192MB");
    await withConf("", "min_wal_size = '256MB'\n", "256MB");
  });

  test("signal files, a stale lock and replication slots go; backup_label stays", async () => {
    const source = await startPod(clone(), { contentId: "source" });
    const mount = join(folder.path, `mount-${++count}`);
    await running(source, () => {
      source.sql("SELECT pg_create_physical_replication_slot('consumer', true)");
      asOwner("pg_basebackup", [
        "-h",
        source.run,
        "-p",
        String(source.port),
        "-U",
        "postgres",
        "-D",
        join(source.mount, "backup"),
        "-c",
        "fast",
      ]);
    });
    mkdirSync(mount);
    execFileSync("mv", [join(source.mount, "backup"), join(mount, "data")]);
    const data = join(mount, "data");
    execFileSync("cp", ["-a", join(source.mount, "data/pg_replslot/consumer"), join(data, "pg_replslot/")]);
    for (const name of ["standby.signal", "recovery.signal", "recovery.conf"]) writeFileSync(join(data, name), "");
    writeFileSync(join(data, "postmaster.pid"), `1\n${data}\n`);
    execFileSync("chown", ["-R", `${owner.uid}:${owner.gid}`, mount]);
    ok(existsSync(join(data, "backup_label")));
    const pod = await startPod(mount, { contentId: "c2" });
    await running(pod, () => {
      equal(pod.sql("SELECT pg_is_in_recovery()"), "f");
      equal(pod.sql("SELECT count(*) FROM pg_replication_slots"), "0");
      for (const gone of ["standby.signal", "recovery.signal", "recovery.conf"]) equal(existsSync(join(data, gone)), false, gone);
      ok(existsSync(join(data, "backup_label.old")), "recovery read backup_label: it was not removed before");
    });
  });

  test("hygiene is done once per content id: what the user changes afterwards stays, a new content is cleaned again", async () => {
    const mount = clone((data) => appendFileSync(join(data, "postgresql.conf"), "work_mem = 5MB\n"));
    const first = await startPod(mount, { contentId: "one" });
    await running(first, () => first.sql("ALTER SYSTEM SET work_mem = '8MB'"));
    const second = await startPod(mount, { contentId: "one" });
    await running(second, () => equal(second.sql("SHOW work_mem"), "8MB", "a restart of the same content keeps ALTER SYSTEM"));
    const third = await startPod(mount, { contentId: "two" });
    await running(third, () => {
      equal(third.sql("SHOW work_mem"), "8MB", "a copy inherits what was in force");
      equal(readFileSync(join(mount, "data/postgresql.auto.conf"), "utf8"), "");
    });
  });

  test("interrupted between filtering and marking, the settings of ALTER SYSTEM are not lost", async () => {
    const mount = clone((data) => writeFileSync(join(data, "postgresql.auto.conf"), "work_mem = '9MB'\n"));
    const first = await startPod(mount, { contentId: "c" });
    await running(first, () => undefined);
    rmSync(join(mount, "data/vdb-content-id"));
    const second = await startPod(mount, { contentId: "c" });
    await running(second, () => equal(second.sql("SHOW work_mem"), "9MB"));
  });

  test("a pg_hba.conf written for other content leaves the gate shut", async () => {
    const stale = "# content before\nlocal all all trust\nhost all all all trust\n";
    const pod = await startPod(clone(), { contentId: "after", hba: stale });
    await running(pod, () => {
      equal(pod.sql("SELECT count(*) FROM pg_hba_file_rules WHERE type <> 'local'"), "0");
      let said = "";
      try {
        asOwner("psql", ["-h", "127.0.0.1", "-p", String(pod.port), "-U", "postgres", "-c", "SELECT 1"]);
      } catch (error) {
        said = String(error);
      }
      match(said, /no pg_hba.conf entry/u);
    });
  });

  const refusals: { name: string; reason: RegExp; change: (data: string) => void }[] = [
    {
      name: "an empty volume",
      reason: /^vdb:NotADatabase: .*no folder data.*nothing/u,
      change: (data) => rmSync(data, { recursive: true }),
    },
    { name: "an empty data folder", reason: /^vdb:NotADatabase: .*PG_VERSION.*nothing/u, change: empty },
    {
      name: "some other files",
      reason: /^vdb:NotADatabase: .*found in it: holiday.jpg/u,
      change: (data) => {
        empty(data);
        writeFileSync(join(data, "holiday.jpg"), "");
      },
    },
    {
      name: "data that is not whole",
      reason: /^vdb:NotADatabase: .*pg_control/u,
      change: (data) => rmSync(join(data, "global/pg_control")),
    },
    {
      name: "another major version",
      reason: /^vdb:MajorMismatch: .*15.*16/u,
      change: (data) => writeFileSync(join(data, "PG_VERSION"), "15\n"),
    },
    {
      name: "a dangling data folder",
      reason: /^vdb:NotADatabase/u,
      change: (data) => {
        rmSync(data, { recursive: true });
        symlinkSync("/absent", data);
      },
    },
  ];
  for (const { name, reason, change } of refusals) {
    test(`${name} is refused with its reason, and nothing is made`, async () => {
      const mount = clone(change);
      const list = () => execFileSync("find", [mount, "-ls"], { encoding: "utf8" });
      const untouched = list();
      match(await refused(mount, { contentId: "x" }), reason);
      equal(list(), untouched, "the volume is as it was");
    });
  }

  test("data of another owner is refused with both owners", async () => {
    const mount = clone();
    execFileSync("chown", ["-R", "1234:1234", mount]);
    match(await refused(mount, { contentId: "x" }), /^vdb:OwnerMismatch: .*1234:1234.*65534:65534/u);
  });

  test("a setting of the source that the image's server does not know is left out, one that it refuses is told as the source's", async () => {
    const unknown = clone((data) => appendFileSync(join(data, "postgresql.conf"), "work_mem = 5MB\nsetting_of_a_fork = 1\n"));
    const pod = await startPod(unknown, { contentId: "x" });
    await running(pod, () => equal(pod.sql("SHOW work_mem"), "5MB"));
    match(readFileSync(join(unknown, "data/vdb-dropped-settings"), "utf8"), /^setting_of_a_fork$/mu);
    match(
      await refused(clone(bad), { contentId: "x" }),
      /^vdb:SettingRefused: .*source.*work_mem.*set it in spec\.postgresConfig/u,
    );
    const mended = await startPod(clone(bad), { contentId: "x", settings: "work_mem = '6MB'\n" });
    await running(mended, () => equal(mended.sql("SHOW work_mem"), "6MB", "the cure that the message names"));
  });

  test("an image without awk is told, and the source's settings are not lost in silence", async () => {
    const tools = join(folder.path, "tools");
    mkdirSync(tools);
    for (const tool of readdirSync("/usr/bin")) if (!/awk/u.test(tool)) symlinkSync(`/usr/bin/${tool}`, join(tools, tool));
    const mount = clone();
    const options = { contentId: "x", env: { PATH: `${programs}:${tools}` } };
    match(await refused(mount, options), /^vdb:ImageWithoutPostgres: .*awk/u);
    const pod = await startPod(mount, { contentId: "x" });
    await running(pod, () => equal(pod.sql("SHOW max_wal_size"), "1GB", "what initdb wrote into postgresql.conf"));
  });

  test("shared_buffers of a bigger machine is cut to a quarter of the pod's memory, a declared one is kept", async () => {
    const env = { VDB_MEMORY_LIMIT_MB: "256" };
    const capped = await startPod(clone(big), { contentId: "x", env });
    await running(capped, () => {
      equal(capped.sql("SHOW shared_buffers"), "64MB");
      writeFileSync(join(capped.run, "settings.conf"), "Shared_Buffers = '80MB'\n");
      capped.sql("SELECT pg_reload_conf()");
      const sql = "SELECT pg_sleep(0.2), pending_restart FROM pg_settings WHERE name = 'shared_buffers'";
      equal(capped.sql(sql), "|t", "a manifest that begins to declare it is heard by the running server");
    });
    const declared = await startPod(clone(big), { contentId: "x", settings: "Shared_Buffers = '80MB'\n", env });
    await running(declared, () => equal(declared.sql("SHOW shared_buffers"), "80MB"));
  });

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
    await sleep(500);
    throws(() => second.sql("SELECT 1"), "the second has not started");
    const third = await startPod(mount, { contentId: "x" });
    await sleep(300);
    const from = performance.now();
    await third.stop("SIGTERM");
    ok(performance.now() - from < 2000, "one that waits can be deleted");
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
    await sleep(300);
    const from = performance.now();
    await pod.stop("SIGTERM");
    ok(performance.now() - from < 5000);
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
