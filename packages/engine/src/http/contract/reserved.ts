/**
 * The words that stand in the API's public document where other paths have an id, right after a collection's own path. No id is
 * one of them.
 */
const words: ReadonlySet<string> = new Set([
  "appdata",
  "ase",
  "compatible_repositories_by_location",
  "compatible_repositories_by_snapshot",
  "compatible_repositories_by_timestamp",
  "compatible_repositories_from_bookmark",
  "delete",
  "empty_vdb",
  "find_by_location",
  "find_by_timestamp",
  "oracle",
  "provision_by_location",
  "provision_by_snapshot",
  "provision_by_timestamp",
  "provision_from_bookmark",
  "search",
]);

export const isReserved = (segment: string): boolean => words.has(segment);
