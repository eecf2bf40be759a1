/** What the start script makes of a copy of production: its settings, signal files, slots, locks; on PostgreSQL 16.2. */
import { equal, match, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { asOwner, copyCluster, newCluster, owner, startPod } from "./testing/postgres.ts";
import { configured, refused, running, sourceData } from "./testing/source-data.ts";
import { until } from "./testing/until.ts";

/** The configuration of a machine with more memory than any pod. */
const big = configured("shared_buffers = 900GB\n");

/** A setting of the source that no server takes. */
const bad = configured("work_mem = 'lots'\n");

describe("the start script on a copy of production", { timeout: 600_000 }, () => {
  const { clone, folder, newMount } = sourceData();

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
    const source = join(folder, "large-segments");
    newCluster(source, "postgres", ["--wal-segsize=64"]);
    const withConf = async (text: string, settings: string, want: string): Promise<void> => {
      const mount = newMount();
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
    const mount = newMount();
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
    const mount = clone(configured("work_mem = 5MB\n"));
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

  test("shared_buffers of a bigger machine is cut to a quarter of the pod's memory, a declared one is kept", async () => {
    const env = { VDB_MEMORY_LIMIT_MB: "256" };
    const capped = await startPod(clone(big), { contentId: "x", env });
    await running(capped, async () => {
      equal(capped.sql("SHOW shared_buffers"), "64MB");
      writeFileSync(join(capped.run, "settings.conf"), "Shared_Buffers = '80MB'\n");
      capped.sql("SELECT pg_reload_conf()");
      const sql = "SELECT pending_restart FROM pg_settings WHERE name = 'shared_buffers'";
      await until("a manifest that begins to declare it is heard by the running server", () => capped.sql(sql) === "t", 60);
    });
    const declared = await startPod(clone(big), { contentId: "x", settings: "Shared_Buffers = '80MB'\n", env });
    await running(declared, () => equal(declared.sql("SHOW shared_buffers"), "80MB"));
  });

  test("a setting of the source that the image's server does not know is left out, one that it refuses is told as the source's", async () => {
    const unknown = clone(configured("work_mem = 5MB\nsetting_of_a_fork = 1\n"));
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
});
