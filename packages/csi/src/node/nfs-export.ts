import { resolve } from "node:path";
import { invalidArgument } from "../grpc/rpc-error.ts";
import type { Mounts } from "./mounts.ts";
import type { VolumeData } from "./volume-data.ts";

/** A folder that an engine exports. */
export interface NfsVolume {
  readonly host: string;
  readonly directory: string;
  /** As DCT names it; undefined: what kernel and engine agree on. */
  readonly version: string | undefined;
  /** `mountOptions` of the StorageClass or the PersistentVolume. */
  readonly mountFlags: readonly string[];
}

/** The data of an engine that is not embedded, mounted over NFS by the kernel itself: the image has no mount.nfs. */
export function nfsData(volume: NfsVolume, mounts: Pick<Mounts, "nfs">): VolumeData {
  const { host, directory, version, mountFlags } = volume;
  // Both become part of a command's argument.
  if (!/^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/u.test(host))
    throw invalidArgument(`exportedHost ${JSON.stringify(host)} is not a host`);
  if (directory !== resolve(directory))
    throw invalidArgument(`exportedDataDirectory ${JSON.stringify(directory)} is not a plain path`);
  if (version !== undefined && !/^\d(\.\d)?$/u.test(version))
    throw invalidArgument(`exportedNfsVersion ${JSON.stringify(version)} is not a version`);
  const source = `${host.includes(":") ? `[${host}]` : host}:${directory}`;
  return {
    name: source,
    isShownBy: (mount) => mount.source === source && mount.fileSystem.startsWith("nfs"),
    mount: async (target, { readOnly }) => await mounts.nfs(host, source, target, nfsOptions(version, mountFlags, readOnly)),
  };
}

/** The user's flags come last, where they win; what protects the node comes after them. */
export const nfsOptions = (version: string | undefined, mountFlags: readonly string[], readOnly: boolean): readonly string[] => [
  "hard", // a write that returned an error to PostgreSQL would be a crash, one that waits is none
  ...(version === undefined ? [] : [`vers=${version}`]),
  ...(version?.startsWith("3") === true ? ["nolock"] : []), // its locks need a daemon; one pod writes
  ...mountFlags,
  "nosuid",
  "nodev",
  ...(readOnly ? ["ro"] : []),
];
