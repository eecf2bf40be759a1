import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, statfs, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { KeyedLock } from "../grpc/keyed-lock.ts";
import { messageOf } from "../grpc/message.ts";
import { aCall } from "../testing/call.ts";
import { refused } from "../testing/refused.ts";
import type { MountEntry } from "./mountinfo.ts";
import { type Mounts, nfsCommand } from "./mounts.ts";
import { nodeGetVolumeStats } from "./node-get-volume-stats.ts";
import { nodePublishVolume } from "./node-publish-volume.ts";
import { nodeUnpublishVolume } from "./node-unpublish-volume.ts";

const made: string[] = [];
after(async () => {
  for (const folder of made) await rm(folder, { recursive: true });
});

const disk = { device: "0:52", fileSystem: "btrfs", source: "/dev/loop3" } as const;

/** Folders on a disk, a mount table in memory: the real mounts are tested as root, in integration/. */
async function aNode() {
  const root = await mkdtemp(join(tmpdir(), "node-"));
  made.push(root);
  const [poolDir, target] = [join(root, "pool"), join(root, "pods/x/mount")];
  const vdb = join(poolDir, "vdbs/1-APPDATA_CONTAINER-7");
  await mkdir(vdb, { recursive: true });
  await writeFile(join(poolDir, ".delphix-pool"), "uuid\n");
  const table: MountEntry[] = [{ ...disk, root: "/", mountPoint: poolDir, readOnly: false }];
  const mounts: Mounts = {
    list: async () => [...table],
    bind: async (source, mountPoint, { readOnly }) =>
      void table.push({ ...disk, root: source.slice(poolDir.length), mountPoint, readOnly }),
    nfs: async (_, source, mountPoint, options) =>
      void table.push({ device: "0:60", root: "/", mountPoint, readOnly: options.includes("ro"), fileSystem: "nfs4", source }),
    unmount: async (mountPoint) =>
      void table.splice(
        table.findLastIndex((one) => one.mountPoint === mountPoint),
        1,
      ),
  };
  return { root, poolDir, stageDir: join(root, "stage"), vdb, target, table, mounts };
}
type Node = Awaited<ReturnType<typeof aNode>>;

const capability = { mount: {}, accessMode: { mode: "SINGLE_NODE_WRITER" } };
const request = ({ vdb, target }: Node) => ({
  volumeId: "1-APPDATA_CONTAINER-7",
  targetPath: target,
  volumeCapability: capability,
  volumeContext: { exportedDataDirectory: vdb, exportedDataPool: "uuid" },
});
const publish = async (node: Node, changes: object = {}): Promise<object> =>
  await nodePublishVolume({ ...node, locks: new KeyedLock() })(messageOf({ ...request(node), ...changes }), aCall());
const unpublish = async (node: Node, changes: object = {}): Promise<object> =>
  await nodeUnpublishVolume({ ...node, locks: new KeyedLock() })(
    messageOf({ volumeId: "v", targetPath: node.target, ...changes }),
    aCall(),
  );
describe("NodePublishVolume and NodeUnpublishVolume", () => {
  let node: Node;
  beforeEach(async () => {
    node = await aNode();
  });
  const mountedOn = (target: string): readonly MountEntry[] => node.table.filter(({ mountPoint }) => mountPoint === target);

  test("publish binds the VDB's folder, once, however often it is called", async () => {
    await publish(node);
    await publish(node);
    deepEqual(
      mountedOn(node.target).map(({ root, readOnly }) => ({ root, readOnly })),
      [{ root: "/vdbs/1-APPDATA_CONTAINER-7", readOnly: false }],
    );
  });

  test("a volume from before pools were written into volumes is published", async () => {
    await publish(node, { volumeContext: { exportedDataDirectory: node.vdb } });
    equal(mountedOn(node.target).length, 1);
  });

  test("two publishes at once mount once: the kubelet repeats a call that timed out while it still runs", async () => {
    const handler = nodePublishVolume({ ...node, locks: new KeyedLock() });
    await Promise.all([handler(messageOf(request(node)), aCall()), handler(messageOf(request(node)), aCall())]);
    equal(mountedOn(node.target).length, 1);
  });

  test("readonly is honoured, and asking for the other way round is a refusal", async () => {
    await publish(node, { readonly: true });
    equal(mountedOn(node.target)[0]?.readOnly, true);
    await rejects(publish(node), refused(status.ALREADY_EXISTS, /already published as read-only/u));
  });

  test("unpublish undoes it, also a pile of mounts, and twice is once", async () => {
    await publish(node);
    await node.mounts.bind(node.vdb, node.target, { readOnly: false });
    await unpublish(node);
    await unpublish(node);
    equal(mountedOn(node.target).length, 0);
    equal(existsSync(node.target), false);
  });

  test("unpublish never deletes what is in the folder: if it was not unmounted, that is a database", async () => {
    await mkdir(node.target, { recursive: true });
    await writeFile(join(node.target, "PG_VERSION"), "16\n");
    await rejects(unpublish(node), refused(status.INTERNAL, /cannot remove/u));
    ok(existsSync(join(node.target, "PG_VERSION")));
  });

  test("a mount that fails leaves no empty folder on which a container could start", async () => {
    const mounts = { ...node.mounts, bind: async () => await Promise.reject(new Error("mount: out of luck")) };
    await rejects(publish({ ...node, mounts }), refused(status.INTERNAL, /out of luck/u));
    equal(existsSync(node.target), false);
  });

  test("one target alone may show a volume of ReadWriteOncePod, and only while it does", async () => {
    const alone = { volumeCapability: { mount: {}, accessMode: { mode: "SINGLE_NODE_SINGLE_WRITER" } } };
    const other = { ...alone, targetPath: join(node.root, "pods/y/mount") };
    await node.mounts.bind(node.vdb, join(node.stageDir, "volume-x"), { readOnly: false }); // of a driver that was killed
    await publish(node, alone);
    await publish(node, alone);
    await rejects(publish(node, other), refused(status.FAILED_PRECONDITION, /in use at .*pods\/x\/mount.*ReadWriteOncePod/u));
    await unpublish(node);
    await publish(node, other);
  });

  const exported = {
    exportedDataDirectory: "/domain0/group-1/vdb-7/datafile",
    exportedHost: "engine.example",
    exportedNfsVersion: "4",
  };

  test("what another engine exports is mounted over NFS, once, as the StorageClass's mountOptions say; no pool is needed", async () => {
    node.table.splice(0, 1);
    const given: unknown[] = [];
    const mounts: Mounts = {
      ...node.mounts,
      nfs: async (...args) => {
        given.push(args);
        await node.mounts.nfs(...args);
      },
    };
    const changes = {
      volumeContext: exported,
      readonly: true,
      volumeCapability: { ...capability, mount: { mountFlags: ["vers=4.1", "noatime"] } },
    };
    for (const _ of [1, 2]) await publish({ ...node, mounts }, changes);
    const source = "engine.example:/domain0/group-1/vdb-7/datafile";
    const options = ["hard", "vers=4", "vers=4.1", "noatime", "nosuid", "nodev", "ro"];
    deepEqual(given, [["engine.example", source, node.target, options]]);
    deepEqual(nfsCommand("192.0.2.7", source, "/t", options), [
      "-i",
      "-t",
      "nfs",
      "-o",
      `addr=192.0.2.7,${options.join(",")}`,
      "--",
      source,
      "/t",
    ]);
    await rejects(publish(node), refused(status.UNAVAILABLE, /not mounted on this node/u), "a volume of a pool is none of it");
    await unpublish(node);
    equal(mountedOn(node.target).length, 0);
  });

  for (const [key, value] of [
    ["exportedHost", "engine.example,ro -o evil"],
    ["exportedDataDirectory", "/domain0/../etc"],
    ["exportedNfsVersion", "4,addr=192.0.2.1"],
  ] as const)
    test(`publish refuses ${key} ${value}: a PersistentVolume is written by people, too`, async () => {
      await rejects(
        publish(node, { volumeContext: { ...exported, [key]: value } }),
        refused(status.INVALID_ARGUMENT, new RegExp(key, "u")),
      );
      equal(mountedOn(node.target).length, 0);
    });

  test("statistics are those of the file system that is mounted there; of a path without a mount there are none", async () => {
    const stats = async (volumePath: string): Promise<object> =>
      await nodeGetVolumeStats(node)(messageOf({ volumeId: "v", volumePath }), aCall());
    await rejects(stats(node.target), refused(status.NOT_FOUND, /volume v is not mounted at/u));
    await publish(node);
    const below = await statfs(node.target);
    const [bytes, inodes] = messageOf(await stats(node.target)).messages("usage");
    deepEqual([bytes?.string("unit"), bytes?.number("total")], ["BYTES", below.blocks * below.bsize]);
    deepEqual([inodes?.string("unit"), inodes?.number("total")], ["INODES", below.files]);
    await rejects(stats("pods/x/mount"), refused(status.NOT_FOUND, /not mounted/u));
  });

  const cases: readonly {
    name: string;
    why: string;
    spoil: (node: Node) => Promise<object | undefined>;
    code: status;
    message: RegExp;
  }[] = [
    {
      name: "a pool that is not mounted",
      why: "the folder below the mount point would be an empty database",
      spoil: async ({ table }) => void table.splice(0, 1),
      code: status.UNAVAILABLE,
      message: /not mounted on this node.*not the mount point/u,
    },
    {
      name: "another file system at the pool's place",
      why: "it is not the engine's",
      spoil: async ({ table, poolDir }) =>
        void table.push({ ...disk, device: "0:9", root: "/", mountPoint: poolDir, readOnly: false, fileSystem: "tmpfs" }),
      code: status.UNAVAILABLE,
      message: /not the mount point of a btrfs or xfs/u,
    },
    {
      name: "a btrfs without the marker",
      why: "some btrfs of the node's own",
      spoil: async ({ poolDir }) => await rm(join(poolDir, ".delphix-pool")).then(() => undefined),
      code: status.UNAVAILABLE,
      message: /does not hold \.delphix-pool/u,
    },
    {
      name: "a volume of another pool",
      why: "under the same path lies somebody else's database",
      spoil: async ({ vdb }) => ({ volumeContext: { exportedDataDirectory: vdb, exportedDataPool: "another" } }),
      code: status.FAILED_PRECONDITION,
      message: /is in pool another, but pool uuid is mounted.*delete its claim/u,
    },
    {
      name: "a VDB that is not there",
      why: "a missing folder is never made",
      spoil: async ({ vdb }) => await rm(vdb, { recursive: true }).then(() => undefined),
      code: status.NOT_FOUND,
      message: /does not exist in the pool/u,
    },
    {
      name: "a path outside the pool",
      why: "a PersistentVolume is written by people, too",
      spoil: async () => ({ volumeContext: { exportedDataDirectory: "/etc" } }),
      code: status.INVALID_ARGUMENT,
      message: /not a folder below the pool/u,
    },
    {
      name: "a path that climbs out of the pool",
      why: "as above",
      spoil: async ({ poolDir }) => ({ volumeContext: { exportedDataDirectory: `${poolDir}/vdbs/../../secret` } }),
      code: status.INVALID_ARGUMENT,
      message: /not a folder below the pool/u,
    },
    {
      name: "the pool itself",
      why: "it shows every VDB at once",
      spoil: async ({ poolDir }) => ({ volumeContext: { exportedDataDirectory: poolDir } }),
      code: status.INVALID_ARGUMENT,
      message: /not a folder below the pool/u,
    },
    {
      name: "a link that leads out of the pool",
      why: "whoever owns a VDB's data can write links into it",
      spoil: async ({ poolDir, root }) => {
        await symlink(root, join(poolDir, "vdbs/link"));
        return { volumeContext: { exportedDataDirectory: join(poolDir, "vdbs/link") } };
      },
      code: status.INVALID_ARGUMENT,
      message: /leads out of the pool/u,
    },
    {
      name: "a volume of another driver",
      why: "it has no exported folder",
      spoil: async () => ({ volumeContext: {} }),
      code: status.INVALID_ARGUMENT,
      message: /lacks exportedDataDirectory/u,
    },
    {
      name: "a target that is a mount of something else",
      why: "a second mount over it would hide what a container uses",
      spoil: async ({ table, target }) => void table.push({ ...disk, root: "/vdbs/other", mountPoint: target, readOnly: false }),
      code: status.ALREADY_EXISTS,
      message: /is a mount of \/vdbs\/other/u,
    },
    {
      name: "block mode",
      why: "a VDB is a folder",
      spoil: async () => ({ volumeCapability: { block: {}, accessMode: { mode: "SINGLE_NODE_WRITER" } } }),
      code: status.INVALID_ARGUMENT,
      message: /Block/u,
    },
  ];
  for (const { name, why, spoil, code, message } of cases)
    test(`publish refuses ${name}`, async () => {
      const changes = await spoil(node);
      const before = mountedOn(node.target).length;
      await rejects(publish(node, changes), refused(code, message), why);
      equal(mountedOn(node.target).length, before);
    });
});
