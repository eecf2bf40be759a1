import { open, readFile, rename } from "node:fs/promises";

/** The text of a file that only root may read; made by `make` when it is not there. Never half-written. */
export async function keepFile(path: string, make: () => string | Promise<string>): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    const text = await make();
    await writePrivate(path, text);
    return text;
  }
}

export async function writePrivate(path: string, text: string): Promise<void> {
  await using file = await open(`${path}.new`, "w", 0o600);
  await file.writeFile(text);
  await file.sync();
  await rename(`${path}.new`, path);
}
