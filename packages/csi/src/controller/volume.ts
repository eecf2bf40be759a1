import type { DctClient, Vdb } from "@vdb/dct";
import { topologyOf } from "../driver.ts";
import { exportedDirectoryKey, exportedHostKey, exportedPoolKey, nfsVersionKey } from "../volume-context.ts";
import { contentOfReference, echoOf } from "./content-source.ts";
import { askedCapacityBytes, askedSource } from "./tags.ts";
import { nodeOf } from "./topology.ts";

export type ExportedVdb = Vdb & { readonly exported_data_directory: string };

/** Whether a VDB has data that can be mounted: one that is being made has none. */
export const isExported = (vdb: Vdb): vdb is ExportedVdb => vdb.exported_data_directory !== undefined;

/** Where a VDB's data is: on a node of the cluster, or at an engine that exports it to every node by NFS. */
export interface Location {
  readonly node?: string | undefined;
  readonly host?: string | undefined;
}

type Finder = Pick<DctClient, "searchEnvironments" | "searchEngines">;

/** The embedded engine names a folder, another engine a path of ZFS, without a slash before it. */
const isNfs = ({ exported_data_directory }: ExportedVdb): boolean => !exported_data_directory.startsWith("/");

export async function locations(dct: Finder, signal: AbortSignal): Promise<(vdb: ExportedVdb) => Location> {
  const [environments, engines] = await Promise.all([
    dct.searchEnvironments(undefined, { signal }),
    dct.searchEngines(undefined, { signal }),
  ]);
  return (vdb) => {
    if (isNfs(vdb)) return { host: engines.find(({ id }) => id === vdb.engine_id)?.hostname };
    const environment = environments.find(({ id }) => id === vdb.environment_id);
    return { node: environment === undefined ? undefined : nodeOf(environment) };
  };
}

/** A VDB as CSI describes a volume. Its own facts are all it takes, so a volume that was found looks like one just made. */
export function volumeOf(vdb: ExportedVdb, { node, host }: Location): object {
  const content = contentOfReference(askedSource(vdb) ?? "");
  return {
    volumeId: vdb.id,
    capacityBytes: askedCapacityBytes(vdb) ?? 0,
    volumeContext: host === undefined ? folderContext(vdb) : nfsContext(vdb, host),
    ...(content === undefined ? {} : { contentSource: echoOf(content) }),
    ...(node === undefined ? {} : { accessibleTopology: [topologyOf(node)] }),
  };
}

type Context = Readonly<Record<string, string>>;

const folderContext = ({ exported_data_directory, exported_data_pool }: ExportedVdb): Context => ({
  [exportedDirectoryKey]: exported_data_directory,
  ...(exported_data_pool === undefined ? {} : { [exportedPoolKey]: exported_data_pool }),
});

const nfsContext = ({ exported_data_directory, nfs_version }: ExportedVdb, host: string): Context => ({
  [exportedDirectoryKey]: `/${exported_data_directory}`,
  [exportedHostKey]: host,
  ...(nfs_version === undefined ? {} : { [nfsVersionKey]: String(nfs_version) }),
});
