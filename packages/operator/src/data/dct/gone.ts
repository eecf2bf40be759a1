import { type DctClient, eq } from "@vdb/dct";
import type { Gone, Told } from "../source.ts";

/** By its name, which is the volume's: a VDB that is still being provisioned has no known id. */
export async function vdbIsThere(dct: Pick<DctClient, "searchVdbs">, name: string, signal: AbortSignal): Promise<boolean> {
  return (await dct.searchVdbs(eq("name", name), { signal })).length > 0;
}

/** Pure. */
export function goneFrom(isThere: Told<boolean>, name: string): Gone {
  if (isThere.kind === "untold")
    return { kind: "unknown", message: `cannot ask DCT whether it still has the VDB ${name}: ${isThere.message}` };
  if (!isThere.value) return { kind: "gone" };
  return { kind: "remains", message: `DCT still has the VDB ${name}: the operator waits for its deletion` };
}
