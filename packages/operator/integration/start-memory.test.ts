/** How much of the memory that its container has PostgreSQL takes; on PostgreSQL 16.2. */
import { equal } from "node:assert/strict";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { newCluster, scratch, startPod } from "./testing/postgres.ts";
import { answering, start } from "./testing/started.ts";

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
  const cgroup = join(parent, `start-memory-${process.pid}`);
  try {
    mkdirSync(cgroup);
    writeFileSync(join(cgroup, file), String(bytes));
    return cgroup;
  } catch {
    if (existsSync(cgroup)) rmdirSync(cgroup);
    return undefined;
  }
}
