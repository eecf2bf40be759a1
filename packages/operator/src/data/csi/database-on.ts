import type { PostgresVDB } from "@vdb/api";
import { courseOf, keepsGateShut } from "../../vdb/decide/hold.ts";
import { SourceRefusal } from "../refusal.ts";

/** Pure: the database of ours whose present data a claim holds. */
export const databaseOn = (vdbs: readonly PostgresVDB[], namespace: string, claim: string): PostgresVDB | undefined =>
  vdbs.find(({ metadata, status }) => metadata.namespace === namespace && status.pvcName === claim);

/**
 * Throws a SourceRefusal where a copy would be a way around the hooks of the database that it is one of. `takenAt`: when the copy was
 * taken; undefined: now. `byAction`: actions take none with a shut gate.
 */
export function mustBeOpen(
  vdb: PostgresVDB | undefined,
  what: string,
  { takenAt, byAction }: { readonly takenAt: string | undefined; readonly byAction: boolean },
): void {
  if (vdb === undefined || byAction) return;
  const { name } = vdb.metadata;
  const { content } = vdb.status;
  if (content?.openedTime === undefined || keepsGateShut(courseOf(vdb)))
    throw new SourceRefusal(
      "SourceNotReady",
      `the gate of PostgresVDB ${name} is still shut, so the data of ${what} may be unmasked: wait until its hooks have succeeded`,
    );
  // Later data has an opening of its own, and an earlier snapshot may well have been taken between two of them.
  if (
    takenAt !== undefined &&
    content.madeBy === "create" &&
    Date.parse(takenAt) < Math.floor(Date.parse(content.openedTime) / 1000) * 1000
  )
    throw new SourceRefusal(
      "SourceNotReady",
      `${what} was taken at ${takenAt}, before the gate of PostgresVDB ${name} opened (${content.openedTime}), so its data may be unmasked: take a newer one`,
    );
}
