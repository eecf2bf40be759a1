import { open, rename } from "node:fs/promises";

/** A file that only root may read; never half-written. */
export async function writePrivate(path: string, text: string): Promise<void> {
  await using file = await open(`${path}.new`, "w", 0o600);
  await file.writeFile(text);
  await file.sync();
  await rename(`${path}.new`, path);
}
