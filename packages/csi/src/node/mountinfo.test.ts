import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { mountedAt, parseMountinfo } from "./mountinfo.ts";

const text = `25 1 254:0 / / rw,relatime - ext4 /dev/vda rw
71 25 0:52 / /var/lib/delphix-engine/pool rw,noatime shared:31 master:2 - btrfs /dev/loop3 rw,space_cache=v2
88 25 0:52 /vdbs/1-APPDATA_CONTAINER-7 /var/lib/kubelet/pods/a\\040b/mount ro,nosuid,nodev shared:31 - btrfs /dev/loop3 rw
`;

test("mountinfo lines, with and without optional fields, with escaped spaces", () => {
  deepEqual(parseMountinfo(text), [
    { device: "254:0", root: "/", mountPoint: "/", readOnly: false, fileSystem: "ext4", source: "/dev/vda" },
    {
      device: "0:52",
      root: "/",
      mountPoint: "/var/lib/delphix-engine/pool",
      readOnly: false,
      fileSystem: "btrfs",
      source: "/dev/loop3",
    },
    {
      device: "0:52",
      root: "/vdbs/1-APPDATA_CONTAINER-7",
      mountPoint: "/var/lib/kubelet/pods/a b/mount",
      readOnly: true, // of this mount, although the file system is writable
      fileSystem: "btrfs",
      source: "/dev/loop3",
    },
  ]);
});

test("of two mounts on one point the last is the one that is seen", () => {
  const twice = parseMountinfo(`${text}90 25 0:7 / /var/lib/delphix-engine/pool rw - tmpfs none rw\n`);
  equal(mountedAt(twice, "/var/lib/delphix-engine/pool")?.fileSystem, "tmpfs");
  equal(mountedAt(twice, "/nowhere"), undefined);
});
