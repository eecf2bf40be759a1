/** One line of /proc/self/mountinfo (proc(5)), as far as it matters here. */
export interface MountEntry {
  /** major:minor; for btrfs it names the whole file system. */
  readonly device: string;
  /** The folder of the file system that is mounted, e.g. /vdbs/1-APPDATA_CONTAINER-7. */
  readonly root: string;
  readonly mountPoint: string;
  readonly readOnly: boolean;
  readonly fileSystem: string;
  /** What was mounted: a device, or host:/path. */
  readonly source: string;
}

export function parseMountinfo(text: string): readonly MountEntry[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.split(" ");
    // A varying number of optional fields stands before the lone hyphen.
    const [fileSystem, source = ""] = fields.slice(fields.indexOf("-") + 1);
    const [, , device, root, mountPoint, options] = fields;
    if (device === undefined || root === undefined || mountPoint === undefined || options === undefined) return [];
    if (fileSystem === undefined) return [];
    const readOnly = options.split(",").includes("ro");
    return [{ device, root: unescape(root), mountPoint: unescape(mountPoint), readOnly, fileSystem, source: unescape(source) }];
  });
}

/** The kernel writes space, tab, newline and backslash as three octal digits. */
const unescape = (path: string): string =>
  path.replace(/\\([0-7]{3})/gu, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** What is mounted at a path: of several mounts on top of each other the last, which is the one that is seen. */
export const mountedAt = (mounts: readonly MountEntry[], path: string): MountEntry | undefined =>
  mounts.findLast(({ mountPoint }) => mountPoint === path);
