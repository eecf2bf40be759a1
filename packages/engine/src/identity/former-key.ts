import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { recordApiKey } from "../catalogue/api-keys.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";

/** Engines of earlier builds kept their one key as it is, in a file: it stays valid, and the file goes. */
export async function takeOverFormerKey(folder: string, catalogue: Catalogue): Promise<void> {
  const file = join(folder, "api-key");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return;
  recordApiKey(catalogue, "api-key", text.trim());
  await rm(file);
}
