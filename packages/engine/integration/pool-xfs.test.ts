/** What a pool on XFS does itself, and btrfs does for a pool on btrfs. */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { createLog } from "kube-runtime";
import { isFullTier, turns } from "kube-runtime/testing";
import { decodeSettings } from "../src/config/settings.ts";
import { mountPool } from "../src/pool/mount.ts";
import { openPool } from "../src/pool/open.ts";
import { type Pool, type PoolPlace, TooLittleSpace } from "../src/pool/pool.ts";
import { openStorage } from "../src/storage.ts";
import { cloneOwner, password, program, type Server, startOnClone, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

const sizeBytes = 2 ** 30;
const skip = turns("pool on xfs", ["load", "checkpoints", "links", "full", "shutdown"], 2);

/** Loops in a shell of its own until the end of the block. */
function meanwhile(script: string, ...args: readonly string[]): AsyncDisposable & { readonly child: ChildProcess } {
  const child = spawn("sh", ["-c", `while :; do ${script}; done`, ...args], {
    stdio: "ignore",
    env: { PATH: "/usr/bin:/bin", PGPASSWORD: password },
    detached: true, // what the loop has started ends with it
  });
  const exited = once(child, "exit");
  return {
    child,
    [Symbol.asyncDispose]: async () => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await exited;
    },
  };
}

/** pgbench adds the same amount in three tables with each transaction. */
const balances = (server: Server): readonly string[] =>
  ["pgbench_accounts.abalance", "pgbench_tellers.tbalance", "pgbench_branches.bbalance", "pgbench_history.delta"].map((column) =>
    server.sql(`SELECT coalesce(sum(${column.split(".")[1]}), 0) FROM ${column.split(".")[0]}`),
  );

describe("pool on xfs", { timeout: 300_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let place: PoolPlace;
  let pool: Pool;

  before(async () => {
    scratch = stack.use(scratchFolder());
    place = { imageFile: join(scratch.path, "pool.img"), mountPoint: join(scratch.path, "pool") };
    await mountPool(place, { sizeBytes, holdsData: false, fileSystem: "xfs" });
    pool = await openPool(place, "xfs");
  });
  after(() => stack.disposeAsync());

  test("what a killed engine has left half copied and half removed is gone with the next start, and nothing else is", async () => {
    await pool.create("work/job");
    await pool.create("timeflows/whole");
    writeFileSync(join(pool.pathOf("timeflows/whole"), "file"), "whole");
    await pool.clone("timeflows/whole", "snapshots/cut", "readOnly");
    execFileSync("chattr", ["-i", pool.pathOf("snapshots/cut")]);
    execFileSync("mv", [pool.pathOf("snapshots/cut"), pool.pathOf("work/cut.gone")]); // its file is immutable still
    execFileSync("cp", ["--archive", pool.pathOf("work/cut.gone"), pool.pathOf("work/made.copy")]);
    execFileSync("chattr", ["+i", join(pool.pathOf("work/made.copy"), "file")]);
    await openPool(place, "xfs");
    deepEqual(await pool.list("work"), ["job"]);
    equal(readFileSync(join(pool.pathOf("timeflows/whole"), "file"), "utf8"), "whole");
    deepEqual(await pool.list("snapshots"), []);
  });

  test("a clone that was cut short is made whole by the next under its name", async () => {
    mkdirSync(pool.pathOf("work/again.copy"));
    writeFileSync(join(pool.pathOf("work/again.copy"), "stray"), "x");
    await pool.clone("timeflows/whole", "timeflows/again", "writable");
    equal(execFileSync("ls", [pool.pathOf("timeflows/again")], { encoding: "utf8" }), "file\n");
  });

  test("clones of a database under load and checkpoints recover, each to one instant", { skip: skip("load") }, async () => {
    await using busy = await startSource(scratch, "pool/timeflows/busy", 1);
    const client = ["-h", "127.0.0.1", "-p", String(busy.port), "-U", "postgres"];
    await using load = meanwhile(`"$0" -n -c 4 -R 200 -T 60 "$@" postgres`, program(scratch, "pgbench"), ...client);
    await using checkpoints = meanwhile(`"$0" "$@" -c CHECKPOINT postgres; sleep 2`, program(scratch, "psql"), ...client);
    const count = isFullTier ? 20 : 2;
    const sums: string[] = [];
    for (let turn = 0; turn < count; turn += 1) {
      await pool.clone("timeflows/busy", `timeflows/clone-${turn}`, "writable");
      execFileSync("rm", ["-f", join(pool.pathOf(`timeflows/clone-${turn}`), "data/postmaster.pid")]);
      execFileSync("chown", ["-R", String(cloneOwner), pool.pathOf(`timeflows/clone-${turn}`)]);
      await using server = await startOnClone(scratch, pool.pathOf(`timeflows/clone-${turn}`));
      match(server.log(), /redo starts at/u);
      const found = balances(server);
      equal(new Set(found).size, 1, `the balances differ: ${found.join(", ")}`);
      equal(server.sql("SELECT count(*) FROM pgbench_accounts"), "100000");
      sums.push(server.sql("SELECT count(*) FROM pgbench_history"));
    }
    equal(checkpoints.child.exitCode ?? load.child.exitCode, null, "both went on");
    ok(new Set(sums).size > 1, "there was a load");
    deepEqual(await pool.list("work"), ["job"]);
  });

  test("a database that ends a checkpoint during each attempt is not copied, and it says what to do", {
    skip: skip("checkpoints"),
  }, async () => {
    const global = join(pool.pathOf("timeflows/again"), "data/global");
    mkdirSync(global, { recursive: true });
    writeFileSync(join(global, "pg_control"), "0");
    for (let file = 0; file < 300; file += 1) writeFileSync(join(global, String(file)), "x");
    let count = 0;
    const writer = setInterval(() => writeFileSync(join(global, "pg_control"), `${(count += 1)}`));
    using _ = { [Symbol.dispose]: () => clearInterval(writer) };
    await rejects(pool.clone("timeflows/again", "snapshots/never", "readOnly"), {
      name: "Failure",
      message: /has ended a checkpoint during each of 10 attempts to copy it: raise its max_wal_size/u,
    });
    equal(await pool.has("snapshots/never"), false);
    deepEqual(await pool.list("work"), ["job"]);
  });

  test("links that come in the place of folders and files meanwhile lead the copy nowhere", { skip: skip("links") }, async () => {
    const outside = join(scratch.path, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "file"), "secret");
    await pool.create("timeflows/hostile");
    const folder = pool.pathOf("timeflows/hostile");
    mkdirSync(join(folder, "real"));
    writeFileSync(join(folder, "real/file"), "harmless");
    execFileSync("ln", ["-s", outside, join(folder, "link")]);
    chownSync(folder, cloneOwner, cloneOwner);
    // mv --exchange is younger than this image's mv: a moment with neither is part of the game.
    const exchange = `mv -T "$0/real" "$0/a"; mv -T "$0/link" "$0/real"; mv -T "$0/a" "$0/link"`;
    await using writer = meanwhile(exchange, folder);
    await once(writer.child, "spawn");
    const refused: string[] = [];
    for (let turn = 0; turn < 30; turn += 1) {
      await pool
        .clone("timeflows/hostile", `timeflows/copy-${turn}`, "writable")
        .catch((error: unknown) => void refused.push(String(error)));
    }
    const copied = execFileSync(
      "find",
      [join(place.mountPoint, "timeflows"), "-type", "f", "-path", "*copy-*", "-name", "file"],
      {
        encoding: "utf8",
      },
    );
    for (const file of copied.trim().split("\n")) equal(readFileSync(file, "utf8"), "harmless");
    ok(refused.length < 30);
    deepEqual(await pool.list("work"), ["job"]);
  });

  test("a clone in a full pool says that there is too little space, and leaves nothing", { skip: skip("full") }, async () => {
    const small = { imageFile: join(scratch.path, "small.img"), mountPoint: join(scratch.path, "small") };
    await mountPool(small, { sizeBytes: sizeBytes / 2, holdsData: false, fileSystem: "xfs" });
    const full = await openPool(small, "xfs");
    await full.create("timeflows/many");
    for (let file = 0; file < 2000; file += 1) writeFileSync(join(full.pathOf("timeflows/many"), String(file)), "x".repeat(100));
    execFileSync("sync", ["--file-system", small.mountPoint]);
    const { bavail, bsize } = statfsSync(small.mountPoint);
    execFileSync("fallocate", ["-l", String(bavail * bsize - 2 ** 18), full.pathOf("filler")]);
    await rejects(full.clone("timeflows/many", "timeflows/more", "writable"), TooLittleSpace);
    deepEqual(await full.list("work"), []);
    execFileSync("rm", [full.pathOf("filler")]);
    await full.clone("timeflows/many", "timeflows/more", "writable");
  });

  test("an xfs without reflinks is refused", async () => {
    const [imageFile, mountPoint] = [join(scratch.path, "plain.img"), join(scratch.path, "plain")];
    execFileSync("truncate", ["-s", "512M", imageFile]);
    execFileSync("mkfs.xfs", ["-q", "-m", "reflink=0", imageFile]);
    await rejects(mountPool({ imageFile, mountPoint }, { holdsData: false }), /made without reflinks.*mkfs\.xfs -m reflink=1/u);
  });

  test("an xfs that has shut down after an error is told by the engine's readiness", { skip: skip("shutdown") }, async () => {
    const log = createLog({ level: "warn", destination: { write: () => undefined } });
    using storage = await openStorage(
      join(scratch.path, "engine"),
      decodeSettings("pool: { size: 512Mi, fileSystem: xfs }"),
      log,
    );
    equal(storage.fileSystem, "xfs");
    equal(await storage.notReadyBecause(), undefined);
    execFileSync("xfs_io", ["-x", "-c", "shutdown", join(scratch.path, "engine/pool")]);
    match((await storage.notReadyBecause()) ?? "", /xfs has shut down after an error; see the kernel's log/u);
  });
});
