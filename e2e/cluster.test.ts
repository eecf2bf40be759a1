/** The project's own cluster: a pod answers a query; mounts pass between pods; after down nothing is left, after a crash neither. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { eventually, type Kubectl, kubectlFor, run, tryRun } from "@vdb/cluster";

const scripts = join(import.meta.dirname, "../cluster");
// scripts/test knows this name, and ends the cluster where this file could not.
const name = `${process.env["CLUSTER_NAME"] || "delphix"}-2`;
const kubeconfig = join(scripts, `../.local/${name}.kubeconfig`);
const env = { CLUSTER_NAME: name, CLUSTER_KUBECONFIG: kubeconfig };
const script = (file: string, ...args: string[]): Promise<string> => run(join(scripts, file), args, { env });

const pods = readFileSync(new URL("cluster/pods.yaml", import.meta.url), "utf8");

/** What a cluster could change on the machine, without what other work on the machine changes meanwhile. */
async function traces(): Promise<Record<string, unknown>> {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "");
  // The temporary folder and the cache belong to other tests and to builds.
  const others = [tmpdir(), "/tmp/", "/delphix-operator/images/layers/"];
  const settings = ["vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "net/ipv4/ip_forward"];
  return {
    mounts: mounts.filter((mount) => !others.some((path) => mount.includes(path))).toSorted(),
    links: (await run("ip", ["-o", "link"])).split("\n").map((line) => line.split(":")[1]),
    routes: await run("ip", ["route"]),
    rules: `${await run("iptables-save", [])}${await run("ip6tables-save", [])}`.replaceAll(/^#.*$|\[\d+:\d+\]/gmu, ""),
    settings: settings.map((setting) => `${setting}=${readFileSync(`/proc/sys/${setting}`, "utf8").trim()}`),
    folders: [
      "/var/lib/kubelet",
      "/var/lib/cni",
      "/var/lib/shared",
      "/var/log/pods",
      "/run/containerd",
      "/opt/containerd",
    ].filter((path) => existsSync(path)),
    cgroups: (await run("find", ["/sys/fs/cgroup", "-maxdepth", "2", "-name", `delphix-${name}`])).trim(),
    processes: processes(),
    state: (await script("paths", "state").then((path) => existsSync(path))) ? "there" : "none",
    // A path is the one inside the cluster, and those of two clusters look alike; a file that was removed is nobody's any more.
    devices: (await run("losetup", ["--list", "--noheadings", "--output", "BACK-FILE"]))
      .split("\n")
      .filter((file) => file.includes("/pool.img (deleted)")),
  };
}

/** Other work on the machine may end meanwhile, and what it ends may be there for another moment: so what is new has to go. */
async function nothingLeft(before: Record<string, unknown>): Promise<void> {
  const listed = ["mounts", "links", "devices"];
  await eventually("nothing is left", 60, async () => {
    for (const [what, now] of Object.entries(await traces())) {
      const earlier = before[what];
      if (listed.includes(what) && Array.isArray(now) && Array.isArray(earlier))
        deepEqual(
          now.filter((one) => !earlier.includes(one)),
          [],
          what,
        );
      else deepEqual(now, earlier, what);
    }
    return true;
  });
}

/** Processes of the cluster's cgroup, by whatever name; a dead one that nobody has waited for yet is none. */
function processes(): string[] {
  return readdirSync("/proc").filter((entry) => {
    if (!/^\d+$/u.test(entry)) return false;
    try {
      const alive = !/^State:\s+Z/mu.test(readFileSync(`/proc/${entry}/status`, "utf8"));
      return alive && readFileSync(`/proc/${entry}/cgroup`, "utf8").includes(`/delphix-${name}`);
    } catch {
      return false; // it ended while we looked
    }
  });
}

async function answer(kubectl: Kubectl, sql: string): Promise<string> {
  return await kubectl.run(["exec", "reader", "--", "psql", "-qAtX", "-U", "postgres", "-c", sql]);
}

describe("a cluster of its own", { timeout: 1_200_000 }, () => {
  let before: Record<string, unknown> = {};
  const kubectl = kubectlFor(kubeconfig, name);
  after(async () => void (await tryRun(join(scripts, "down"), [], { env })));

  test("it comes up, and a second up reuses it at once", async () => {
    before = await traces();
    match(await script("up"), /is up after/u);
    match(await script("up"), /cluster \S+-2 is up$/u); // what starts one says "is up after"
  });

  test("a PostgreSQL pod answers a query, in the locale and with the extensions that users expect", async () => {
    await script("load-images", "engine", "postgres");
    const engine = JSON.parse(readFileSync(join(scripts, "../.local/images.json"), "utf8")).engine;
    await kubectl.apply(pods.replaceAll("ENGINE", engine));
    const { exitCode } = await kubectl.try([
      "wait",
      "--for=condition=Ready",
      "pod",
      "--all",
      "--all-namespaces",
      "--timeout=400s",
    ]);
    equal(exitCode, 0, exitCode === 0 ? "" : await kubectl.run(["logs", "mounter", "--tail=20"]).catch(String));
    match(await answer(kubectl, "SELECT version()"), /^PostgreSQL 16\.2 /u);
    equal(await answer(kubectl, "SELECT datcollate FROM pg_database WHERE datname = 'postgres'"), "en_US.utf8");
    await answer(kubectl, "CREATE EXTENSION pgcrypto; CREATE EXTENSION pg_stat_statements; CREATE EXTENSION postgres_fdw");
    equal(await answer(kubectl, "SELECT encode(digest('a', 'md5'), 'hex')"), "0cc175b9c0f1b6a831c399e269772661");
  });

  test("the image keeps to the documented variables, as user 999 under the restricted profile", async () => {
    const query =
      "SELECT made_by FROM t; SHOW work_mem; SHOW data_checksums; SELECT daticulocale FROM pg_database WHERE datname = 'App Db'";
    const client = `PGPASSWORD=$(cat /secret/password) exec psql -qAtX -h "$POD_IP" -U "app user" -d "App Db" -c "${query}"`;
    equal(await kubectl.run(["exec", "-n", "restricted", "careful", "--", "sh", "-c", client]), "2.sql\n5MB\non\nde-DE");
    const wrong = await kubectl.try([
      "exec",
      "-n",
      "restricted",
      "careful",
      "--",
      "sh",
      "-c",
      client.replace("$(cat /secret/password)", "wrong"),
    ]);
    match(wrong.stderr, /password authentication failed/u);
  });

  test("a mount of one pod is seen by another and by the node, and not by the machine", async () => {
    const seen = await eventually("the reader sees the mount", 120, async () => {
      const { exitCode, stdout } = await kubectl.try(["exec", "reader", "--", "cat", "/shared/pool/file"]);
      return exitCode === 0 ? stdout.trim() : undefined;
    });
    equal(seen, "seen");
    equal(await script("enter", "cat", "/var/lib/shared/pool/file"), "seen");
    deepEqual((await traces())["mounts"], before["mounts"]);
  });

  test("down leaves nothing, and a second down is no error", async () => {
    const attached = await script(
      "enter",
      "losetup",
      "--noheadings",
      "--output",
      "NAME",
      "--associated",
      "/var/lib/shared/pool.img",
    );
    match(attached, /^\/dev\/loop\d+$/u, "the test means a device that is attached");
    match(await script("down"), /is removed/u);
    await nothingLeft(before);
    const backing = await run("losetup", ["--list", "--noheadings", "--output", "NAME,BACK-FILE"]);
    ok(!backing.split("\n").some((line) => line.startsWith(`${attached} `) && line.includes("pool.img (deleted)")), backing);
    match(await script("down"), /there is no cluster/u);
  });

  test("after a crash, up replaces what is left, and down removes it", async () => {
    await script("up");
    const killed = readdirSync("/sys/fs/cgroup").includes("unified") ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup";
    await script("enter", "sh", "-c", `echo 1 >${killed}/delphix-${name}/cgroup.kill`).catch(() => "it ended itself too");
    await eventually("every process ended", 60, async () => (processes().length === 0 ? true : undefined));
    match(await script("up"), /removing the remains of cluster \S+-2[\s\S]*is up after/u);
    equal(await kubectl.run(["get", "namespace", "default", "-o", "name"]), "namespace/default");
    await script("down");
    await nothingLeft(before);
  });
});
