import { type Decoded, map, object, string } from "@vdb/dct";
import type { Catalogue } from "./catalogue.ts";
import { json } from "./rows.ts";

const decodeParams = object({ id: string, source_params: json(map), config_params: json(map) }, {});
/** What was sent with a provision in the connector's own form. Kept apart from the row: few ask for it, and it may be large. */
export type VdbParams = Decoded<typeof decodeParams>;

const columns = "SELECT id, source_params, config_params FROM vdb";

export const paramsOfVdb = (catalogue: Catalogue, id: string): VdbParams | undefined =>
  catalogue.one(decodeParams, `${columns} WHERE id = ?`, id);

export const paramsOfAllVdbs = (catalogue: Catalogue): ReadonlyMap<string, VdbParams> =>
  new Map(catalogue.all(decodeParams, columns).map((one) => [one.id, one]));
