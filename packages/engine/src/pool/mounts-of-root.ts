import { readFileSync } from "node:fs";

/**
 * Where a folder of a pool, or something in it, is mounted, as far as this process sees: the chart has the kubelet's folder of pods
 * propagated into the engine's. `root` is the folder's path inside the file system; it contains an id that occurs in one pool only, so the
 * device is not asked for. Synchronous, because what is decided by it must not change meanwhile.
 */
export function mountsOfRoot(root: string): readonly string[] {
  const mounted = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, , , lineRoot = "", mountPoint = ""] = line.split(" ");
      const isBelow = lineRoot === root || lineRoot.startsWith(`${root}/`);
      return isBelow && / - (?:btrfs|xfs) /u.test(line) ? [mountPoint] : [];
    });
  return [...new Set(mounted)].toSorted();
}
