import type { Settings } from "../config/settings.ts";
import type { Catalogue } from "./catalogue.ts";
import { engineId } from "./engine-row.ts";
import { decodeEnvironmentRow, decodeGroupRow, type EnvironmentRow, type GroupRow } from "./rows.ts";

/** Ids look like those of the vendor's engines; each is given once. */
export const newId = (
  catalogue: Catalogue,
  type:
    | "GROUP"
    | "UNIX_HOST_ENVIRONMENT"
    | "APPDATA_REPOSITORY"
    | "APPDATA_CONTAINER"
    | "APPDATA_SNAPSHOT"
    | "APPDATA_TIMEFLOW"
    | "BOOKMARK",
): string => `${engineId(catalogue)}-${type}-${catalogue.next(type)}`;

export const allGroups = (catalogue: Catalogue): readonly GroupRow[] =>
  catalogue.all(decodeGroupRow, "SELECT * FROM dataset_group");
export const allEnvironments = (catalogue: Catalogue): readonly EnvironmentRow[] =>
  catalogue.all(decodeEnvironmentRow, "SELECT * FROM environment");

/** Brings groups and environments to what is configured. One that is in use stays although nobody configures it any more. */
export function reconcilePlaces(catalogue: Catalogue, { groups, environments }: Settings): void {
  catalogue.transaction(() => {
    for (const name of groups) {
      if (!allGroups(catalogue).some((one) => one.name === name)) {
        catalogue.run("INSERT INTO dataset_group VALUES (?, ?)", newId(catalogue, "GROUP"), name);
      }
    }
    for (const { name, repository } of environments) {
      catalogue.run("UPDATE environment SET repository_name = ? WHERE name = ?", repository, name);
      if (!allEnvironments(catalogue).some((one) => one.name === name)) {
        const [id, repositoryId] = [newId(catalogue, "UNIX_HOST_ENVIRONMENT"), newId(catalogue, "APPDATA_REPOSITORY")];
        catalogue.run(
          "INSERT INTO environment (id, name, repository_id, repository_name) VALUES (?, ?, ?, ?)",
          id,
          name,
          repositoryId,
          repository,
        );
      }
    }
    removeUnused(
      catalogue,
      groups,
      environments.map(({ name }) => name),
    );
  });
}

function removeUnused(catalogue: Catalogue, groups: readonly string[], environments: readonly string[]): void {
  for (const { id, name } of allGroups(catalogue)) {
    if (groups.includes(name)) continue;
    catalogue.run(
      "DELETE FROM dataset_group WHERE id = ? AND NOT EXISTS (SELECT 1 FROM dsource WHERE group_id = dataset_group.id) AND NOT EXISTS (SELECT 1 FROM vdb WHERE group_id = dataset_group.id)",
      id,
    );
  }
  for (const { id, name } of allEnvironments(catalogue)) {
    if (environments.includes(name)) continue;
    catalogue.run(
      "DELETE FROM environment WHERE id = ? AND NOT EXISTS (SELECT 1 FROM vdb WHERE environment_id = environment.id)",
      id,
    );
  }
}
