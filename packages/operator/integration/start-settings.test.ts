/** Settings with which PostgreSQL does not start; on PostgreSQL 16.2. */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { hbaFile } from "../src/postgres/hba.ts";
import { major, type Pod, programs, startPod } from "./testing/postgres.ts";
import { configured, sourceData } from "./testing/source-data.ts";
import { answering, noted, prepare, start, stateOf } from "./testing/started.ts";
import { until } from "./testing/until.ts";

const refusals: readonly { settings: string; words: RegExp }[] = [
  { settings: "max_connections = '3'\n", words: /^"?superuser_reserved_connections"? \(3\).*"?max_connections"? \(3\)\n$/u },
  { settings: "wal_level = 'minimal'\n", words: /^WAL streaming \("?max_wal_senders"? > 0\) requires "?wal_level"? [^\n]*\n$/u },
  { settings: "shared_buffers = '1000GB'\n", words: /^could not map anonymous shared memory: Cannot allocate memory [^\n]*\n$/u },
  { settings: "max_locks_per_transaction = '1000000000'\n", words: /^(?:requested shared memory size overflows|could not map)/u },
  { settings: "shared_preload_libraries = 'absent'\n", words: /^could not access file "absent": No such file or directory\n$/u },
  { settings: "ssl = 'on'\n", words: /^could not load server certificate file "server\.crt"/u },
  { settings: "lc_messages = 'xx_XX'\n", words: /^invalid value for parameter "lc_messages": "xx_XX"/u },
  { settings: "work_mem = 'lots'\n", words: /^invalid value for parameter "work_mem": "lots"\n$/u },
  { settings: "no_such_setting = '1'\n", words: /^unrecognized configuration parameter "no_such_setting"\n$/u },
];

describe("settings with which PostgreSQL does not start", { timeout: 400_000 }, () => {
  const { clone, folder } = sourceData();

  test("the last that it started with hold instead: in a new pod, and in each of its containers", async () => {
    const mount = clone();
    await (await start(mount, "work_mem = '7MB'\n")).stop();
    for (const { settings, words } of refusals) {
      const pod = await start(mount, settings);
      equal(pod.sql("SHOW work_mem"), "7MB", settings);
      const note = noted(pod);
      equal(note?.[0], settings);
      match(note?.[1] ?? "", words);
      await pod.stop("SIGKILL");
      const next = await answering(await pod.again());
      equal(next.sql("SHOW work_mem"), "7MB");
      equal(/does not start with/u.test(next.printed()), false, "it is not tried again");
      deepEqual(noted(next), note);
      await next.stop();
    }
  });

  test("on new data the source's own hold; the operator is told, and a corrected manifest needs no other pod", async () => {
    const pod = await start(clone(configured("work_mem = '3MB'\n")), "work_mem = '9MB'\nmax_connections = '3'\n");
    equal(pod.sql("SHOW work_mem"), "3MB");
    const refused = prepare(pod, "work_mem = '9MB'\nmax_connections = '3'\n");
    deepEqual([refused.kind, "message" in refused && /superuser_reserved/u.test(refused.message)], ["settingRefused", true]);
    const taken = prepare(pod, "work_mem = '9MB'\n");
    deepEqual([taken.kind, pod.sql("SHOW work_mem")], ["answer", "9MB"]);
    await pod.stop();
  });

  // 14 can be asked little about a data directory that a server holds: it shows at the next start, which falls back.
  const skip = major < 15;
  test("a server that runs keeps its settings where a start would fail, and is asked to restart for none of them", {
    skip,
  }, async () => {
    const mount = clone();
    const pod = await start(mount, "work_mem = '7MB'\n");
    for (const { settings, words } of refusals) {
      if (/shared_buffers|max_locks/u.test(settings)) continue; // whether there is memory shows at the start alone
      const result = prepare(pod, settings);
      equal(result.kind, "settingRefused", settings);
      match("message" in result ? `${result.message}\n` : "", words);
    }
    equal(pod.sql("SHOW work_mem"), "7MB");
    equal(existsSync(join(mount, "data/postmaster.pid")), true);
    writeFileSync(join(mount, "data/server.crt"), "no certificate");
    match(JSON.stringify(prepare(pod, "ssl = 'on'\n")), /could not load server certificate file/u);
    equal(prepare(pod, "work_mem = '8MB'\n").kind, "answer");
    await pod.stop();
  });

  test("what a reload has put in force holds too", async () => {
    const mount = clone();
    const pod = await start(mount, "work_mem = '7MB'\n");
    equal(prepare(pod, "work_mem = '8MB'\n").kind, "answer");
    await pod.stop("SIGKILL");
    const next = await answering(await pod.again());
    equal(next.sql("SHOW work_mem"), "8MB", "also where the ConfigMap's files are not yet the new ones");
    await next.stop();
    const moved = await start(mount, "work_mem = '8MB'\nshared_buffers = '1000GB'\n");
    equal(moved.sql("SHOW work_mem"), "8MB");
    await moved.stop();
  });

  test("a gate that was opened a moment ago is open in the next container", async () => {
    const pod = await answering(await startPod(clone(), { contentId: "x", hba: hbaFile("x", "shut") }));
    equal(prepare(pod, "").kind, "answer");
    await pod.stop("SIGKILL");
    const next = await answering(await pod.again());
    equal(next.sql("SELECT count(*) FROM pg_hba_file_rules WHERE type = 'host'"), "1");
    await next.stop();
  });

  test("a copy does not fall back to what another database was started with", async () => {
    const mount = clone(configured("work_mem = '3MB'\n"));
    await (await start(mount, "work_mem = '7MB'\n", "first")).stop();
    const copy = await start(mount, "max_connections = '3'\n", "second");
    equal(copy.sql("SHOW work_mem"), "3MB");
    await copy.stop();
  });

  test("what fails with every setting is not laid on them, and is told in the server's words", async () => {
    const mount = clone();
    await (await start(mount, "work_mem = '7MB'\n")).stop();
    chmodSync(join(mount, "data/pg_wal"), 0);
    const pod = await startPod(mount, { contentId: "x", settings: "work_mem = '8MB'\n" });
    notEqual(await pod.exited, 0);
    match(pod.terminationMessage(), /^no message; printed: .*pg_wal.*Permission denied/su);
    equal(noted(pod), undefined);
    chmodSync(join(mount, "data/pg_wal"), 0o700);
    const next = await answering(await pod.again());
    equal(next.sql("SHOW work_mem"), "8MB");
    await next.stop();
  });

  test("settings of the source that nobody can start with are told as the source's", async () => {
    const pod = await startPod(clone(configured("work_mem = 'lots'\n")), {
      contentId: "x",
      settings: "max_connections = '50'\n",
    });
    notEqual(await pod.exited, 0);
    match(pod.terminationMessage(), /^vdb:SettingRefused: .*source: invalid value for parameter "work_mem"/u);
  });

  test("what ALTER SYSTEM has set, and no server starts with, is set aside", async () => {
    const mount = clone();
    const pod = await start(mount, "work_mem = '7MB'\n");
    pod.sql("ALTER SYSTEM SET maintenance_work_mem = '70MB'");
    await pod.stop();
    const second = await answering(await pod.again());
    second.sql("ALTER SYSTEM SET max_connections = 3");
    await second.stop();
    const third = await answering(await startPod(mount, { contentId: "x", settings: "work_mem = '8MB'\n" }));
    const shown = ["work_mem", "maintenance_work_mem", "max_connections"].map((name) => third.sql(`SHOW ${name}`));
    deepEqual(shown, ["8MB", "70MB", "100"], "the manifest's new setting is not to blame, nor what ALTER SYSTEM set before");
    equal(noted(third), undefined);
    match(readFileSync(join(mount, "data/postgresql.auto.conf.refused"), "utf8"), /max_connections = '3'/u);
    match(stateOf(prepare(third, "work_mem = '8MB'\n")).setAside, /^"?superuser_reserved_connections/u);
    await third.stop();
    const fourth = await answering(await third.again());
    equal(stateOf(prepare(fourth, "work_mem = '8MB'\n")).setAside, "");
    await fourth.stop();
  });

  test("settings under which the container ends twice without a word are given up", async () => {
    const mount = clone();
    await (await start(mount, "work_mem = '7MB'\n")).stop();
    const options = { contentId: "x", settings: "work_mem = '8MB'\n", env: { PATH: slowly(folder) } };
    let pod = await startPod(mount, options);
    for (let time = 0; time < 2; time += 1) {
      await until(`it begins to start ${time + 1} times`, () => tries(pod) === time + 1, 60);
      await pod.stop("SIGKILL");
      pod = await pod.again();
    }
    await pod.answers();
    equal(pod.sql("SHOW work_mem"), "7MB");
    match(noted(pod)?.[1] ?? "", /^the container ended twice/u);
    await pod.stop();
  });
});

/** A PATH whose `postgres` takes a second before it starts: time to be killed in. */
function slowly(folder: string): string {
  const tools = join(folder, "slow");
  mkdirSync(tools);
  const text = `#!/bin/sh\ncase "$*" in *" -C "*) ;; -D*) sleep 1 ;; esac\nexec ${join(programs, "postgres")} "$@"\n`;
  writeFileSync(join(tools, "postgres"), text, { mode: 0o755 });
  return `${tools}:${programs}:/usr/bin:/bin`;
}

const tries = ({ run }: Pod): number => (existsSync(join(run, "tries")) ? readFileSync(join(run, "tries"), "utf8").length : 0);
