import type { Vdb } from "@vdb/dct";
import { topologyOf } from "../driver.ts";
import { exportedDirectoryKey, exportedPoolKey } from "../volume-context.ts";
import { contentOfReference, echoOf } from "./content-source.ts";
import { askedCapacityBytes, askedSource } from "./tags.ts";

export type ExportedVdb = Vdb & { readonly exported_data_directory: string };

/** Whether a VDB has data that can be mounted: one that is being made has none. */
export const isExported = (vdb: Vdb): vdb is ExportedVdb => vdb.exported_data_directory !== undefined;

/** A VDB as CSI describes a volume. Its own facts are all it takes, so a volume that was found looks like one just made. */
export function volumeOf(vdb: ExportedVdb, node: string | undefined): object {
  const { id, exported_data_directory, exported_data_pool } = vdb;
  const content = contentOfReference(askedSource(vdb) ?? "");
  return {
    volumeId: id,
    capacityBytes: askedCapacityBytes(vdb) ?? 0,
    volumeContext: {
      [exportedDirectoryKey]: exported_data_directory,
      ...(exported_data_pool === undefined ? {} : { [exportedPoolKey]: exported_data_pool }),
    },
    ...(content === undefined ? {} : { contentSource: echoOf(content) }),
    ...(node === undefined ? {} : { accessibleTopology: [topologyOf(node)] }),
  };
}
