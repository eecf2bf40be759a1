import { closeSync, openSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Catalogue } from "../catalogue/catalogue.ts";

/**
 * The catalogue as of this instant, as one file of SQLite, while everything goes on. It contains the passwords of dSources that were
 * linked through the API, as the catalogue does.
 */
export async function backUp(catalogue: Catalogue, folder: string): Promise<Buffer> {
  const draft = join(folder, "catalogue.backup");
  await rm(draft, { force: true });
  // SQLite writes into an empty file, and leaves its mode.
  closeSync(openSync(draft, "wx", 0o600));
  try {
    catalogue.run("VACUUM INTO ?", draft);
    return await readFile(draft);
  } finally {
    await rm(draft, { force: true });
  }
}
