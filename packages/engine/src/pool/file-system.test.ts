import { equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { chooseFileSystem, type FileSystemName, requireSame, type WantedFileSystem } from "./file-system.ts";

const cases: readonly (readonly [WantedFileSystem, readonly FileSystemName[], FileSystemName | RegExp])[] = [
  ["auto", ["btrfs", "xfs"], "btrfs"],
  ["auto", ["xfs"], "xfs"],
  ["auto", ["btrfs"], "btrfs"],
  ["auto", [], /neither btrfs nor xfs.*engine\.enabled: false.*k8s-snapshot, pvc-clone or pvc-adopt/u],
  ["xfs", ["btrfs", "xfs"], "xfs"],
  ["btrfs", ["xfs"], /fileSystem is btrfs, but the kernel of this node has no btrfs: set it to auto or xfs, or run the engine/u],
  ["xfs", [], /fileSystem is xfs, but the kernel of this node has no xfs: set it to auto, or run the engine.*pvc-clone/u],
];
for (const [wanted, offered, want] of cases)
  test(`of a kernel with ${offered.join(" and ") || "neither"}, ${wanted} is ${want instanceof RegExp ? "refused" : want}`, () => {
    if (want instanceof RegExp) throws(() => chooseFileSystem(wanted, offered), want);
    else equal(chooseFileSystem(wanted, offered), want);
  });

test("a pool has the file system that it was made with", () => {
  requireSame("auto", "xfs", "the pool");
  requireSame("xfs", "xfs", "the pool");
  throws(() => requireSame("btrfs", "xfs", "the pool"), /fileSystem is btrfs, but the pool is xfs: set it to auto or xfs/u);
});
