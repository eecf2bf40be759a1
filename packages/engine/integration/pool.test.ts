/** The laws that every pool holds, of each file system on a loop file; and that its mount is found again, never made twice. */
import { deepEqual, equal, notEqual, ok, rejects, throws } from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  existsSync,
  lchownSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sampled } from "kube-runtime/testing";
import { fileSystemNames, kernelHas } from "../src/pool/file-system.ts";
import { mountAt, mountPool } from "../src/pool/mount.ts";
import { openPool } from "../src/pool/open.ts";
import type { Pool, PoolPlace } from "../src/pool/pool.ts";
import { type Scratch, scratchFolder, unmount } from "./testing/scratch.ts";

/** mkfs.xfs makes nothing smaller than 300 MB. */
const sizeBytes = 512 * 2 ** 20;
const loopDevices = (file: string): readonly string[] =>
  execFileSync("losetup", ["-j", file, "-nO", "NAME"], { encoding: "utf8" }).split("\n").filter(Boolean);

/** What is in a folder: paths, modes, owners and where links lead; pipes hold nothing. */
const treeOf = (folder: string): string =>
  execFileSync("find", [folder, "!", "-type", "p", "-printf", "%P %M %U:%G %l\n"], { encoding: "utf8" })
    .split("\n")
    .toSorted()
    .join("\n");

const uuidOf = (file: string): string =>
  execFileSync("blkid", ["--probe", "--match-tag", "UUID", "--output", "value", file], { encoding: "utf8" });

for (const fileSystem of sampled("pools", fileSystemNames, 1))
  describe(`pool on ${fileSystem}`, { timeout: 120_000 }, () => {
    const stack = new AsyncDisposableStack();
    let scratch: Scratch;
    let place: PoolPlace;
    let pool: Pool;

    before(async () => {
      scratch = stack.use(scratchFolder());
      place = { imageFile: join(scratch.path, "pool.img"), mountPoint: join(scratch.path, "pool") };
      equal((await mountPool(place, { sizeBytes, holdsData: false, fileSystem })).fileSystem, fileSystem);
      pool = await openPool(place, fileSystem);
    });
    after(() => stack.disposeAsync());

    const write = (name: string, text: string): void => writeFileSync(join(pool.pathOf(name), "file"), text);
    const read = (name: string): string => readFileSync(join(pool.pathOf(name), "file"), "utf8");

    test("a clone has its origin's content, and each is independent from then on", async () => {
      await pool.create("vdbs/a");
      write("vdbs/a", "first");
      await pool.clone("vdbs/a", "vdbs/b", "writable");
      write("vdbs/a", "second");
      equal(read("vdbs/b"), "first");
      write("vdbs/b", "third");
      equal(read("vdbs/a"), "second");
      await pool.remove("vdbs/a");
      equal(read("vdbs/b"), "third");
    });

    test("a read-only clone cannot be written, its own clone can", async () => {
      await pool.clone("vdbs/b", "snapshots/s", "readOnly");
      let failed = false;
      try {
        write("snapshots/s", "x");
      } catch {
        failed = true;
      }
      ok(failed);
      await pool.clone("snapshots/s", "vdbs/c", "writable");
      write("vdbs/c", "x");
    });

    test("what lies in a read-only clone cannot be removed or added either, and all of it goes with the clone", async () => {
      await pool.create("vdbs/tree");
      const inside = (name: string, path: string): string => join(pool.pathOf(name), path);
      mkdirSync(inside("vdbs/tree", "data/pg_wal/archive_status"), { recursive: true });
      writeFileSync(inside("vdbs/tree", "data/file"), "x", { mode: 0o640 });
      symlinkSync("../nowhere", inside("vdbs/tree", "data/link"));
      for (const path of ["data", "data/file", "data/link"]) lchownSync(inside("vdbs/tree", path), 999, 998);
      chmodSync(inside("vdbs/tree", "data"), 0o700);
      execFileSync("mkfifo", [inside("vdbs/tree", "data/pipe")]);
      await pool.clone("vdbs/tree", "snapshots/tree", "readOnly");
      for (const failing of [
        () => rmSync(inside("snapshots/tree", "data/file")),
        () => writeFileSync(inside("snapshots/tree", "data/more"), "x"),
        () => writeFileSync(inside("snapshots/tree", "more"), "x"),
      ])
        throws(failing);
      await pool.clone("snapshots/tree", "vdbs/of-it", "writable");
      deepEqual(treeOf(pool.pathOf("vdbs/of-it")), treeOf(pool.pathOf("vdbs/tree")));
      writeFileSync(inside("vdbs/of-it", "data/more"), "x");
      for (const name of ["snapshots/tree", "vdbs/of-it", "vdbs/tree"]) await pool.remove(name);
      for (const part of ["snapshots", "vdbs", "work"] as const)
        deepEqual(
          (await pool.list(part)).filter((name) => /tree|of-it/u.test(name)),
          [],
        );
    });

    test("a taken name is refused, by create and by clone", async () => {
      await rejects(pool.create("vdbs/c"));
      await rejects(pool.clone("snapshots/s", "vdbs/c", "writable"), /exists/u);
    });

    test("has tells what is there; removing twice is no error", async () => {
      equal(await pool.has("vdbs/c"), true);
      await pool.remove("vdbs/c");
      await pool.remove("vdbs/c");
      equal(await pool.has("vdbs/c"), false);
    });

    test("a plain folder is none of ours", { skip: fileSystem !== "btrfs" }, async () => {
      mkdirSync(pool.pathOf("vdbs/plain"));
      equal(await pool.has("vdbs/plain"), false);
    });

    test("subvolumes that a pod made inside of its own go with it", { skip: fileSystem !== "btrfs" }, async () => {
      await pool.create("vdbs/nesting");
      for (const inner of ["one", "one/two\nlines", "one/two\nlines/folder/three", "folder/four"]) {
        const path = join(pool.pathOf("vdbs/nesting"), inner);
        mkdirSync(dirname(path), { recursive: true });
        execFileSync("btrfs", ["subvolume", "create", path], { stdio: "pipe" });
      }
      execFileSync("btrfs", ["property", "set", join(pool.pathOf("vdbs/nesting"), "one/two\nlines"), "ro", "true"]);
      await pool.create("vdbs/neighbour");
      symlinkSync("../neighbour", join(pool.pathOf("vdbs/nesting"), "link"));
      await pool.remove("vdbs/nesting");
      equal(await pool.has("vdbs/nesting"), false);
      equal(await pool.has("vdbs/neighbour"), true);
    });

    test("a swap: the path leads to the old folder or the new one at every instant, and no byte moves", async () => {
      for (const name of ["timeflows/old", "timeflows/new"]) {
        await pool.create(name);
        write(name, name);
      }
      await pool.swap("vdbs/path", "timeflows/old");
      equal(await pool.leadsTo("vdbs/path"), "timeflows/old");
      // Another process reads through the path all the time: a moment without it would be an error there.
      const reader = spawn("sh", ["-c", `while :; do cat "$0" || echo gone; done`, join(pool.pathOf("vdbs/path"), "file")]);
      const seen: string[] = [];
      for (const stream of [reader.stdout, reader.stderr])
        stream.setEncoding("utf8").on("data", (text: string) => void seen.push(text));
      const open = openSync(join(pool.pathOf("vdbs/path"), "file"), "r");
      for (let turn = 0; turn < 200; turn += 1) await pool.swap("vdbs/path", turn % 2 === 0 ? "timeflows/new" : "timeflows/old");
      reader.kill("SIGKILL");
      await once(reader, "exit");
      equal(seen.join("").replaceAll("timeflows/old", "").replaceAll("timeflows/new", ""), "");
      await pool.swap("vdbs/path", "timeflows/new");
      equal(read("vdbs/path"), "timeflows/new");
      equal(readFileSync(open, "utf8"), "timeflows/old", "who has the old folder open goes on with it");
      closeSync(open);
      await rejects(pool.swap("vdbs/path", "timeflows/none"), /timeflows\/none does not exist/u);
      equal(await pool.has("vdbs/path"), false, "a path is no folder");
      await pool.remove("vdbs/path");
      await pool.remove("vdbs/path");
      equal(await pool.leadsTo("vdbs/path"), undefined);
      equal(read("timeflows/new"), "timeflows/new", "the path goes alone");
    });

    test("a swap that was cut short is made whole by the next", async () => {
      symlinkSync("../timeflows/none", pool.pathOf("work/cut.link"));
      await pool.swap("vdbs/cut", "timeflows/new");
      equal(await pool.leadsTo("vdbs/cut"), "timeflows/new");
      equal(existsSync(pool.pathOf("work/cut.link")), false);
    });

    test("where a folder is mounted is told, of a folder inside it too, and not of its neighbour", async () => {
      const [whole, part] = [join(scratch.path, "a-pod"), join(scratch.path, "b-pod")];
      for (const target of [whole, part]) mkdirSync(target);
      mkdirSync(join(pool.pathOf("timeflows/new"), "data"));
      deepEqual(pool.mountsOf("timeflows/new"), []);
      execFileSync("mount", ["--bind", pool.pathOf("vdbs/cut"), whole]);
      execFileSync("mount", ["--bind", join(pool.pathOf("vdbs/cut"), "data"), part]);
      deepEqual(pool.mountsOf("timeflows/new"), [whole, part]);
      deepEqual(pool.mountsOf("timeflows/ne"), []);
      await pool.swap("vdbs/cut", "timeflows/old");
      equal(readFileSync(join(whole, "file"), "utf8"), "timeflows/new", "a mount stays with its bytes");
      deepEqual(pool.mountsOf("timeflows/old"), []);
      for (const target of [whole, part]) await unmount(target);
      deepEqual(pool.mountsOf("timeflows/new"), []);
    });

    test("a clone of megabytes costs none until it is written", async () => {
      await pool.create("work/big");
      writeFileSync(join(pool.pathOf("work/big"), "file"), Buffer.alloc(8 * 2 ** 20, 1), { flush: true });
      await pool.clone("work/big", "vdbs/thin", "writable");
      deepEqual(await pool.bytes("vdbs/thin"), { exclusive: 0, total: 8 * 2 ** 20 });
      writeFileSync(join(pool.pathOf("vdbs/thin"), "own"), Buffer.alloc(2 ** 20, 2));
      execFileSync("sync", ["-f", pool.pathOf("vdbs/thin")]);
      equal((await pool.bytes("vdbs/thin")).exclusive, 2 ** 20);
    });

    test("mounted again it is the same mount; after an unmount it is found with everything in it", async () => {
      await mountPool(place, { holdsData: true });
      equal(loopDevices(place.imageFile).length, 1);
      await unmount(place.mountPoint);
      deepEqual(loopDevices(place.imageFile), [], "the last unmount frees the loop device");
      await rejects(pool.has("vdbs/b"), /the pool is not mounted/u, "to say that it is gone would let a job record it so");
      await mountPool(place, { holdsData: true });
      equal(read("vdbs/b"), "third");
    });

    test("a loop device that is left over is used again: two on one file would destroy it", async () => {
      const elsewhere = join(scratch.path, "elsewhere");
      mkdirSync(elsewhere);
      execFileSync("mount", ["--bind", place.mountPoint, elsewhere]);
      await unmount(place.mountPoint);
      await mountPool(place, { holdsData: true });
      equal(loopDevices(place.imageFile).length, 1);
      equal(read("vdbs/b"), "third");
      await unmount(elsewhere);
    });

    test("a growing that was cut short after any of its steps is completed by the next mount", async () => {
      const small = await pool.freeBytes();
      const grown = sizeBytes + 128 * 2 ** 20;
      truncateSync(place.imageFile, grown);
      await mountPool(place, { sizeBytes: grown, holdsData: true });
      ok((await pool.freeBytes()) > small + 100 * 2 ** 20, "cut short after the image");
      const between = await pool.freeBytes();
      truncateSync(place.imageFile, grown + 128 * 2 ** 20);
      execFileSync("losetup", ["--set-capacity", loopDevices(place.imageFile)[0] ?? ""]);
      await mountPool(place, { holdsData: true });
      ok((await pool.freeBytes()) > between + 100 * 2 ** 20, "cut short after the loop device");
    });

    test("no pool is made where data is known to lie in one that is missing", async () => {
      const missing = { imageFile: join(scratch.path, "missing.img"), mountPoint: join(scratch.path, "missing") };
      await rejects(mountPool(missing, { sizeBytes, holdsData: true }), /missing\.img is missing, but the catalogue lists data/u);
      equal(existsSync(missing.imageFile), false);
    });

    test("a pool that turned read-only is told from one that can be written", async () => {
      equal((await mountAt(place.mountPoint))?.isReadOnly, false);
      execFileSync("mount", ["-o", "remount,ro", place.mountPoint]);
      equal((await mountAt(place.mountPoint))?.isReadOnly, true);
      execFileSync("mount", ["-o", "remount,rw", place.mountPoint]);
    });

    test("a kernel without the file system is told from any other failure to mount", async () => {
      const mountPoint = join(scratch.path, "nowhere");
      const imageFile = join(scratch.path, "empty.img");
      writeFileSync(imageFile, Buffer.alloc(2 ** 20));
      await rejects(mountPool({ imageFile, mountPoint }, { holdsData: false }), /empty\.img is no pool/u);
      deepEqual([await kernelHas("btrfs"), await kernelHas("nosuchfs")], [true, false]);
    });

    test("a pool has the file system that it was made with, and another that is asked for is refused", async () => {
      const other = fileSystem === "xfs" ? "btrfs" : "xfs";
      await rejects(
        mountPool(place, { holdsData: true, fileSystem: other }),
        new RegExp(`is ${other}, but the pool at .* is ${fileSystem}`, "u"),
      );
      equal((await mountPool(place, { holdsData: true })).fileSystem, fileSystem);
    });

    test("another file system at the mount point is refused", async () => {
      const mountPoint = join(scratch.path, "taken");
      mkdirSync(mountPoint);
      execFileSync("mount", ["-t", "tmpfs", "none", mountPoint]);
      await rejects(mountPool({ ...place, mountPoint }, { holdsData: false }), /another file system is mounted/u);
    });

    test("the marker names the file system, and a foreign one is refused", async () => {
      const marker = join(place.mountPoint, ".delphix-pool");
      const uuid = readFileSync(marker, "utf8");
      equal(uuid, uuidOf(place.imageFile));
      writeFileSync(marker, "00000000-0000-0000-0000-000000000000\n");
      await rejects(mountPool(place, { holdsData: true }), /names pool 0000/u);
      writeFileSync(marker, uuid);
      notEqual(uuid.trim(), "");
    });
  });
