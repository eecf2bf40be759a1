/** Settings with which PostgreSQL does not start, data that needs more than they give, memory that is less: on PostgreSQL 16.2. */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { hbaFile } from "../src/postgres/hba.ts";
import { type PreparationResult, preparationCommand, preparationResult, type ServerState } from "../src/postgres/prepare.ts";
import { copyCluster, newCluster, type Pod, programs, scratch, startPod } from "./support/postgres.ts";

const folder = scratch();
const template = join(folder.path, "template");
let count = 0;

function clone(sourceSettings = ""): string {
  const mount = join(folder.path, `mount-${++count}`);
  copyCluster(template, mount);
  appendFileSync(join(mount, "data/postgresql.conf"), sourceSettings);
  return mount;
}

async function answering(pod: Pod): Promise<Pod> {
  await pod.answers();
  return pod;
}

const start = async (mount: string, settings = "", contentId = "x"): Promise<Pod> =>
  await answering(await startPod(mount, { contentId, settings }));

function prepare(pod: Pod, settings: string): PreparationResult {
  const wanted = { hba: hbaFile("x", "open"), settings, role: "postgres", database: "postgres", verifier: undefined };
  const { command, stdin } = preparationCommand(wanted);
  return preparationResult(pod.exec(command, stdin));
}

function stateOf(result: PreparationResult): ServerState {
  if (result.kind !== "answer") throw new Error(`${result.kind}: ${result.message}`);
  return result.state;
}

/** What the start script has noted for the operator: the settings that were given up, and why. */
const noted = ({ run }: Pod): readonly [string, string] | undefined =>
  existsSync(join(run, "settings.refused"))
    ? [readFileSync(join(run, "settings.refused"), "utf8"), readFileSync(join(run, "settings.refused.words"), "utf8")]
    : undefined;

const refusals: readonly { settings: string; words: RegExp }[] = [
  { settings: "max_connections = '3'\n", words: /^superuser_reserved_connections \(3\).*max_connections \(3\)\n$/u },
  { settings: "wal_level = 'minimal'\n", words: /^WAL streaming \(max_wal_senders > 0\) requires wal_level [^\n]*\n$/u },
  { settings: "shared_buffers = '1000GB'\n", words: /^could not map anonymous shared memory: Cannot allocate memory [^\n]*\n$/u },
  { settings: "max_locks_per_transaction = '1000000000'\n", words: /^(?:requested shared memory size overflows|could not map)/u },
  { settings: "shared_preload_libraries = 'absent'\n", words: /^could not access file "absent": No such file or directory\n$/u },
  { settings: "ssl = 'on'\n", words: /^could not load server certificate file "server\.crt"/u },
  { settings: "lc_messages = 'xx_XX'\n", words: /^invalid value for parameter "lc_messages": "xx_XX"/u },
  { settings: "work_mem = 'lots'\n", words: /^invalid value for parameter "work_mem": "lots"\n$/u },
  { settings: "no_such_setting = '1'\n", words: /^unrecognized configuration parameter "no_such_setting"\n$/u },
];

describe("settings with which PostgreSQL does not start", { timeout: 400_000 }, () => {
  before(() => newCluster(template));
  after(() => folder[Symbol.dispose]());

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
    const pod = await start(clone("work_mem = '3MB'\n"), "work_mem = '9MB'\nmax_connections = '3'\n");
    equal(pod.sql("SHOW work_mem"), "3MB");
    const refused = prepare(pod, "work_mem = '9MB'\nmax_connections = '3'\n");
    deepEqual([refused.kind, "message" in refused && /superuser_reserved/u.test(refused.message)], ["settingRefused", true]);
    const taken = prepare(pod, "work_mem = '9MB'\n");
    deepEqual([taken.kind, pod.sql("SHOW work_mem")], ["answer", "9MB"]);
    await pod.stop();
  });

  test("a server that runs keeps its settings where a start would fail, and is asked to restart for none of them", async () => {
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
    const mount = clone("work_mem = '3MB'\n");
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
    const pod = await startPod(clone("work_mem = 'lots'\n"), { contentId: "x", settings: "max_connections = '50'\n" });
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
    match(stateOf(prepare(third, "work_mem = '8MB'\n")).setAside, /^superuser_reserved_connections/u);
    await third.stop();
    const fourth = await answering(await third.again());
    equal(stateOf(prepare(fourth, "work_mem = '8MB'\n")).setAside, "");
    await fourth.stop();
  });

  test("settings under which the container ends twice without a word are given up", async () => {
    const mount = clone();
    await (await start(mount, "work_mem = '7MB'\n")).stop();
    const options = { contentId: "x", settings: "work_mem = '8MB'\n", env: { PATH: slowly() } };
    let pod = await startPod(mount, options);
    for (let time = 0; time < 2; time += 1) {
      await tried(pod, time + 1);
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
function slowly(): string {
  const tools = join(folder.path, "slow");
  mkdirSync(tools);
  const text = `#!/bin/sh\ncase "$*" in *" -C "*) ;; -D*) sleep 1 ;; esac\nexec ${join(programs, "postgres")} "$@"\n`;
  writeFileSync(join(tools, "postgres"), text, { mode: 0o755 });
  return `${tools}:${programs}:/usr/bin:/bin`;
}

async function tried({ run }: Pod, times: number): Promise<void> {
  for (let looks = 0; looks < 100; looks += 1) {
    if (existsSync(join(run, "tries")) && readFileSync(join(run, "tries"), "utf8").length === times) return;
    await sleep(50);
  }
  throw new Error(`it has not begun to start ${times} times`);
}

describe("what the data needs", { timeout: 200_000 }, () => {
  const mine = scratch();
  const source = join(mine.path, "source");
  const copy = (name: string): string => {
    const mount = join(mine.path, name);
    copyCluster(source, mount);
    rmSync(join(mount, "data/postmaster.pid"), { force: true });
    return mount;
  };
  const gids = "SELECT string_agg(gid, ',' ORDER BY gid) FROM pg_prepared_xacts";

  before(async () => {
    newCluster(source);
    appendFileSync(join(source, "data/postgresql.conf"), "max_prepared_transactions = 5\n");
    const pod = await start(source, "", "source");
    pod.sql("CREATE TABLE t (n int); BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'in a file'; CHECKPOINT");
    pod.sql("BEGIN; INSERT INTO t VALUES (2); PREPARE TRANSACTION 'in the WAL'");
    await pod.stop("SIGKILL");
  });
  after(() => mine[Symbol.dispose]());

  test("prepared transactions get the room that they need, whatever the manifest says, until they are gone", async () => {
    const settings = "max_prepared_transactions = '0'\n";
    const pod = await start(copy("both"), settings);
    deepEqual([pod.sql(gids), pod.sql("SHOW max_prepared_transactions")], ["in a file,in the WAL", "5"]);
    equal(noted(pod), undefined);
    const { pendingRestart, pendingElsewhere } = stateOf(prepare(pod, settings));
    deepEqual([pendingRestart, pendingElsewhere], [[], []]);
    const more = stateOf(prepare(pod, "max_prepared_transactions = '9'\n"));
    deepEqual(more.pendingRestart, ["max_prepared_transactions"], "a manifest with more is heard");
    for (const gid of ["in a file", "in the WAL"]) pod.sql(`ROLLBACK PREPARED '${gid}'`);
    await pod.stop();
    const next = await answering(await startPod(pod.mount, { contentId: "x", settings }));
    equal(next.sql("SHOW max_prepared_transactions"), "0");
    await next.stop();
  });

  test("those that came with the copy are told, its own are not", async () => {
    const pod = await start(copy("told"));
    pod.sql("BEGIN; INSERT INTO t VALUES (3); PREPARE TRANSACTION 'of its own'");
    const result = prepare(pod, "");
    const { preparedTransactions } = stateOf(result);
    deepEqual(
      preparedTransactions.map(({ gid, owner: role, database }) => [gid, role, database]),
      [
        ["in a file", "postgres", "postgres"],
        ["in the WAL", "postgres", "postgres"],
      ],
    );
    match(preparedTransactions[0]?.since ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u);
    await pod.stop();
  });

  test("a server that follows another's WAL gets what that one had", async () => {
    const mount = copy("standby");
    await (await start(mount)).stop();
    writeFileSync(join(mount, "data/standby.signal"), "");
    const settings = "max_connections = '20'\nmax_worker_processes = '1'\nmax_wal_senders = '0'\n";
    const pod = await start(mount, settings);
    equal(pod.sql("SELECT pg_is_in_recovery()"), "t");
    deepEqual(
      ["max_connections", "max_worker_processes", "max_wal_senders"].map((name) => pod.sql(`SHOW ${name}`)),
      ["100", "8", "10"],
    );
    await pod.stop();
  });
});

describe("the memory that the container has", { timeout: 200_000 }, () => {
  const mine = scratch();
  const source = join(mine.path, "source");
  let made = 0;
  const quarter = async (files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) => {
    const root = join(mine.path, `cgroups-${++made}`);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(root, name, ".."), { recursive: true });
      writeFileSync(join(root, name), `${text}\n`);
    }
    const options = { contentId: "x", env: { VDB_CGROUPS: root, VDB_OWN_CGROUPS: join(root, "own"), ...env } };
    const pod = await answering(await startPod(source, options));
    const [size, pages] = [pod.sql("SHOW shared_buffers"), pod.sql("SHOW huge_pages")];
    await pod.stop();
    equal(pages, "off", "a node's huge pages are not taken unasked");
    return size;
  };

  before(() => {
    newCluster(source);
    appendFileSync(join(source, "data/postgresql.conf"), "shared_buffers = 900GB\nhuge_pages = on\n");
  });
  after(() => mine[Symbol.dispose]());

  const Mi = 2 ** 20;
  const cases: { name: string; files: Readonly<Record<string, string>>; env?: Readonly<Record<string, string>>; size: string }[] =
    [
      { name: "version 2", files: { own: "0::/", "memory.max": String(256 * Mi) }, size: "64MB" },
      {
        name: "version 2, the least of those around it",
        files: { own: "0::/pod:a/db", "pod:a/db/memory.max": "max", "pod:a/memory.max": String(512 * Mi), "memory.max": "max" },
        size: "128MB",
      },
      {
        name: "version 2, a path of the machine that the container does not see",
        files: { own: "0::/../../kubepods/x", "memory.max": String(256 * Mi) },
        size: "64MB",
      },
      {
        name: "version 1",
        files: {
          own: "5:cpu,cpuacct:/kubepods/x\n4:memory:/kubepods/x\n0::/",
          "memory/memory.limit_in_bytes": String(256 * Mi),
          "memory/memory.stat": "cache 7\nhierarchical_memory_limit 134217728",
        },
        size: "32MB",
      },
      {
        name: "version 1 without a limit, where the manifest's is all there is",
        files: { own: "4:memory:/", "memory/memory.limit_in_bytes": "9223372036854771712" },
        env: { VDB_MEMORY_LIMIT_MB: "400" },
        size: "100MB",
      },
      {
        name: "less than the manifest says",
        files: { own: "0::/", "memory.max": String(256 * Mi) },
        env: { VDB_MEMORY_LIMIT_MB: "4096" },
        size: "64MB",
      },
    ];
  for (const { name, files, env, size } of cases)
    test(`decides over the source's shared_buffers: ${name}`, async () => equal(await quarter(files, env), size));

  test("a real cgroup's limit decides", async (t) => {
    const cgroup = makeCgroup(256 * Mi);
    if (cgroup === undefined) return t.skip("this machine lets nobody make a cgroup");
    const pod = await startPod(source, { contentId: "x", cgroup });
    try {
      await pod.answers();
      equal(pod.sql("SHOW shared_buffers"), "64MB");
    } finally {
      await pod.stop();
      rmdirSync(cgroup);
    }
  });

  test("huge pages are the manifest's to ask for", async () => {
    const pod = await start(source, "huge_pages = 'try'\nshared_buffers = '16MB'\n");
    equal(pod.sql("SHOW huge_pages"), "try");
    await pod.stop();
  });
});

/** One with this limit, below our own, of whichever version the machine has; undefined where that is not allowed. */
function makeCgroup(bytes: number): string | undefined {
  const own = new Map(
    readFileSync("/proc/self/cgroup", "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(":"))
      .map(([, controllers = "", ...path]) => [controllers, path.join(":")]),
  );
  const first = own.get("memory");
  const [parent, file] =
    first === undefined
      ? [join("/sys/fs/cgroup", own.get("") ?? ""), "memory.max"]
      : [join("/sys/fs/cgroup/memory", first), "memory.limit_in_bytes"];
  const cgroup = join(parent, `start-settings-${process.pid}`);
  try {
    mkdirSync(cgroup);
    writeFileSync(join(cgroup, file), String(bytes));
    return cgroup;
  } catch {
    if (existsSync(cgroup)) rmdirSync(cgroup);
    return undefined;
  }
}
