import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { type DctClient, findVdb, type Vdb } from "@vdb/dct";
import { topologyOf } from "../driver.ts";
import type { Call } from "../grpc/handler.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { exportedDirectoryKey, exportedPoolKey } from "../volume-context.ts";
import { type ContentSource, echoOf } from "./content-source.ts";
import { nodeOf } from "./topology.ts";

/** Objects lag behind the jobs that change them: a VDB may be shown some moments after its job was COMPLETED. */
const lagSeconds = 5;
const pauseSeconds = 0.1;

/**
 * A VDB as CSI describes a volume. Its own facts are all it takes, so a volume that was found looks like one just made.
 * No refusal of this function is final, because the VDB is there and must not be forgotten.
 */
export async function describeVolume(
  dct: DctClient,
  id: string,
  { capacityBytes, content }: { readonly capacityBytes: number; readonly content: ContentSource | undefined },
  call: Call,
): Promise<object> {
  const { environment_id, exported_data_directory, exported_data_pool } = await exportedVdb(dct, id, call);
  const environment =
    environment_id === undefined ? undefined : await dct.getEnvironment(environment_id, { signal: call.signal });
  const node = environment === undefined ? undefined : nodeOf(environment);
  if (node === undefined) throw new RpcError(status.ABORTED, `DCT names no host for the data of VDB ${id}`);
  return {
    volume: {
      volumeId: id,
      capacityBytes,
      volumeContext: {
        [exportedDirectoryKey]: exported_data_directory,
        ...(exported_data_pool === undefined ? {} : { [exportedPoolKey]: exported_data_pool }),
      },
      ...(content === undefined ? {} : { contentSource: echoOf(content) }),
      accessibleTopology: [topologyOf(node)],
    },
  };
}

async function exportedVdb(dct: DctClient, id: string, call: Call): Promise<Vdb & { readonly exported_data_directory: string }> {
  const until = performance.now() + Math.min(lagSeconds, call.secondsLeft()) * 1000;
  for (;;) {
    const vdb = await findVdb(dct, id, call.signal);
    if (vdb?.exported_data_directory !== undefined) return { ...vdb, exported_data_directory: vdb.exported_data_directory };
    if (performance.now() > until) {
      const what = vdb === undefined ? "DCT does not show it" : "DCT names no exported_data_directory for it";
      throw new RpcError(status.ABORTED, `VDB ${id} is provisioned, but ${what}`);
    }
    await sleep(pauseSeconds * 1000, undefined, { signal: call.signal });
  }
}
