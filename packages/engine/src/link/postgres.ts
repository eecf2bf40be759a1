import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../command.ts";
import { type ControlData, parseControlData } from "./control-data.ts";

/** The PostgreSQL installations at hand, as `<folder>/<major>/bin`. */
export interface Postgres {
  /** Base backups are taken with the newest: it serves its own major and all older ones (not newer ones). */
  newest(): Promise<string>;
  /** Recovery needs a server of exactly the data's major. */
  ofMajor(major: number): Promise<string>;
  controlData(dataFolder: string, signal?: AbortSignal): Promise<ControlData>;
}

export function installedPostgres(folder: string): Postgres {
  const majors = async (): Promise<readonly number[]> => {
    const names = await readdir(folder).catch(() => []);
    const found = names
      .map(Number)
      .filter((major) => Number.isSafeInteger(major) && existsSync(join(folder, String(major), "bin/postgres")));
    return found.toSorted((a, b) => b - a);
  };
  const bin = (major: number): string => join(folder, String(major), "bin");
  const newest = async (): Promise<string> => {
    const [major] = await majors();
    if (major === undefined) throw new Error(`there is no PostgreSQL under ${folder}`);
    return bin(major);
  };
  return {
    newest,
    ofMajor: async (major) => {
      const there = await majors();
      if (!there.includes(major))
        throw new Error(`the source is PostgreSQL ${major}; this engine has ${there.join(", ") || "none"} under ${folder}`);
      return bin(major);
    },
    controlData: async (dataFolder, signal) => {
      // pg_controldata reads the control file of its own major only; PG_VERSION says which that is.
      const major = await majorOf(dataFolder);
      return parseControlData(await runCommand(join(bin(major), "pg_controldata"), ["-D", dataFolder], { signal }), major);
    },
  };
}

export async function majorOf(dataFolder: string): Promise<number> {
  const text = await readFile(join(dataFolder, "PG_VERSION"), "utf8");
  const major = Number(text.trim());
  if (!Number.isSafeInteger(major))
    throw new Error(`${dataFolder}/PG_VERSION: the engine does not support version "${text.trim()}"`);
  return major;
}
