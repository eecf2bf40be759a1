import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { keepFile } from "./keep-file.ts";

/** The key that every caller needs: made at the first start, kept with the data. Looks like DCT's: `1.` and letters and digits. */
export async function keepApiKey(folder: string): Promise<string> {
  const text = await keepFile(join(folder, "api-key"), () => `1.${randomBytes(32).toString("hex")}\n`);
  return text.trim();
}
