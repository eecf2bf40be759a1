import { type DctClient, eq } from "@vdb/dct";
import type { Handler } from "../grpc/handler.ts";
import { type Entry, pageOf, pageRequestOf } from "../grpc/page.ts";
import type { ControllerVolumes } from "./create-volume.ts";
import { capacityKey } from "./tags.ts";
import { isExported, locations, volumeOf } from "./volume.ts";

/** The volumes that this driver has made, in the order of their ids; those still being made are left out. */
export const listVolumes =
  ({ dct }: Pick<ControllerVolumes, "dct">): Handler =>
  async (message, { signal }) => {
    const request = pageRequestOf(message);
    return pageOf(await dct.call(async (client) => await entriesOf(client, signal), signal), request);
  };

async function entriesOf(
  dct: Pick<DctClient, "searchVdbs" | "searchEnvironments" | "searchEngines">,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  const [vdbs, locationOf] = await Promise.all([dct.searchVdbs(eq("tags.key", capacityKey), { signal }), locations(dct, signal)]);
  return vdbs.filter(isExported).map((vdb) => ({ id: vdb.id, entry: { volume: volumeOf(vdb, locationOf(vdb)), status: {} } }));
}
