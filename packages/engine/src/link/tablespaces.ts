/** A tablespace is a link to a place outside of the data folder: a clone would write into it together with its siblings. */
export const unsupportedTablespaces =
  "the source has tablespaces outside of its data folder, which the engine does not support: move their contents to pg_default and drop them";
