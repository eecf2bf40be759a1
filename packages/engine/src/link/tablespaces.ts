/** A tablespace is a link to a place outside of the data folder: a clone would write into it together with its siblings. */
export const unsupportedTablespaces =
  "the source has tablespaces outside of its data folder, which the engine does not support: move their contents to pg_default and drop them";

/**
 * Whether pg_basebackup failed because of a tablespace. The replication protocol names them only in the answer to the backup itself;
 * the program then makes them under the paths that they have at the source, which cannot be written here.
 */
export function tablespacesAre(lastLines: string, dataFolder: string): boolean {
  const paths = [...lastLines.matchAll(/(?:could not (?:create|access|open) (?:directory|file)|error: directory) "(\/[^"]*)"/gu)];
  return paths.some(([, path = ""]) => path !== dataFolder && !path.startsWith(`${dataFolder}/`));
}
