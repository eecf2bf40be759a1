import type { Catalogue } from "../catalogue/catalogue.ts";
import { allDSources } from "../catalogue/datasets.ts";
import { allGroups } from "../catalogue/places.ts";
import { isEmptySource } from "../catalogue/rows.ts";
import type { DSourceSettings } from "../config/settings.ts";
import type { Followed } from "./standbys.ts";
import { isStreamed } from "./sync.ts";

/** The dSources that a standby is to follow. One that the configuration no longer names keeps its snapshots, and is not followed. */
export function followedOf(catalogue: Catalogue, declared: readonly DSourceSettings[]): readonly Followed[] {
  const groups = new Map(allGroups(catalogue).map(({ id, name }) => [id, name]));
  return allDSources(catalogue).flatMap(({ id, name, group_id, state, connection, declared: isDeclared }) => {
    if (state === "deleting" || isEmptySource(connection) || !isStreamed(connection)) return [];
    const isNamed = declared.some((one) => one.name === name && one.group === groups.get(group_id));
    return isDeclared && !isNamed ? [] : [{ id, name, connection }];
  });
}
