import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../failure.ts";

/** The data folder in a VDB's place. Whoever runs on a VDB can put a link there, which must not lead the engine elsewhere. */
export async function dataFolderIn(folder: string): Promise<string> {
  const data = join(folder, "data");
  const found = await lstat(data).catch(() => undefined);
  if (found?.isDirectory() !== true) throw new Failure(`${data} is not a folder: it contains no database`);
  return data;
}
