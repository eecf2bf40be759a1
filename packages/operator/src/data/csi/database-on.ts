import type { PostgresVDB, VdbContent } from "@vdb/api";
import { isControlledBy, type PersistentVolumeClaim } from "kube-runtime";
import { courseOf, keepsGateShut } from "../../vdb/decide/hold.ts";
import { SourceRefusal } from "../refusal.ts";

/** Pure: the database of ours whose present data a claim holds. */
export const databaseOn = (vdbs: readonly PostgresVDB[], namespace: string, claim: string): PostgresVDB | undefined =>
  vdbs.find(({ metadata, status }) => metadata.namespace === namespace && status.pvcName === claim);

/** What of a database a claim holds. Undefined content: data that it does not have yet, or not any more. */
export interface Held {
  readonly vdb: PostgresVDB;
  readonly content: VdbContent | undefined;
}

/** Pure: all data that a database has, the present first. */
export const contentsOf = ({ content, activeAction, previous }: PostgresVDB["status"]): readonly VdbContent[] =>
  [content, activeAction?.replaced, previous].filter((one) => one !== undefined);

/** Pure: whose data a claim holds; undefined: that of no database of ours. `claim`: the object, where there still is one. */
export function heldBy(
  vdbs: readonly PostgresVDB[],
  { namespace, name }: { readonly namespace: string; readonly name: string },
  claim: PersistentVolumeClaim | undefined,
): Held | undefined {
  const there = vdbs.filter(({ metadata }) => metadata.namespace === namespace);
  for (const vdb of there) {
    const content = contentsOf(vdb.status).find(({ claimName }) => claimName === name);
    if (content !== undefined || vdb.status.pvcName === name) return { vdb, content: content ?? vdb.status.content };
  }
  const owner = claim === undefined ? undefined : there.find((vdb) => isControlledBy(claim, vdb));
  return owner === undefined ? undefined : { vdb: owner, content: undefined };
}

/**
 * Throws a SourceRefusal where a copy would be a way around the hooks of the database that it is one of. `takenAt`: when the copy was
 * taken; undefined: now. `byAction`: actions take none with a shut gate.
 */
export function mustBeOpen(
  held: Held | undefined,
  what: string,
  { takenAt, byAction }: { readonly takenAt: string | undefined; readonly byAction: boolean },
): void {
  if (held === undefined || byAction) return;
  const { vdb, content } = held;
  const { name } = vdb.metadata;
  const isPresent = content?.id === vdb.status.content?.id;
  if (content?.openedTime === undefined || (isPresent && keepsGateShut(courseOf(vdb))))
    throw new SourceRefusal(
      "SourceNotReady",
      `the gate of PostgresVDB ${name} is still shut, so the data of ${what} may be unmasked: wait until its hooks have succeeded`,
    );
  // Of data that took the place of other data on the same volume an earlier snapshot may well have been taken between two openings.
  if (
    takenAt !== undefined &&
    isFirstOnVolume(content) &&
    Date.parse(takenAt) < Math.floor(Date.parse(content.openedTime) / 1000) * 1000
  )
    throw new SourceRefusal(
      "SourceNotReady",
      `${what} was taken at ${takenAt}, before the gate of PostgresVDB ${name} opened (${content.openedTime}), so its data may be unmasked: take a newer one`,
    );
}

const isFirstOnVolume = ({ madeBy, timeflow, takenOpen }: VdbContent): boolean =>
  madeBy === "create" || (timeflow === undefined && takenOpen !== true);
