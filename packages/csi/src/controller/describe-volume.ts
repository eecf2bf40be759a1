import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { type DctClient, findVdb } from "@vdb/dct";
import type { Call } from "../grpc/handler.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { type ExportedVdb, isExported, locations, volumeOf } from "./volume.ts";

/** Objects lag behind the jobs that change them: a VDB may be shown some moments after its job was COMPLETED. */
const lagSeconds = 5;
const pauseSeconds = 0.1;

/** The answer of CreateVolume. No refusal of this function is final, because the VDB is there and must not be forgotten. */
export async function describeVolume(dct: DctClient, id: string, call: Call): Promise<object> {
  const vdb = await exportedVdb(dct, id, call);
  const location = (await locations(dct, call.signal))(vdb);
  if (location.node === undefined && location.host === undefined)
    throw new RpcError(status.ABORTED, `DCT names no host for the data of VDB ${id}`);
  return { volume: volumeOf(vdb, location) };
}

async function exportedVdb(dct: DctClient, id: string, call: Call): Promise<ExportedVdb> {
  const until = performance.now() + Math.min(lagSeconds, call.secondsLeft()) * 1000;
  for (;;) {
    const vdb = await findVdb(dct, id, call.signal);
    if (vdb !== undefined && isExported(vdb)) return vdb;
    if (performance.now() > until) {
      const what = vdb === undefined ? "DCT does not show it" : "DCT names no exported_data_directory for it";
      throw new RpcError(status.ABORTED, `VDB ${id} is provisioned, but ${what}`);
    }
    await sleep(pauseSeconds * 1000, undefined, { signal: call.signal });
  }
}
