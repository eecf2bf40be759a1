import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { apiKeyOf, dataDir, type EngineProcess } from "./engine.ts";
import type { Scratch } from "./scratch.ts";

/** The value of a metric of the one dSource of this name; undefined: there is no such sample. */
export async function metricOf(
  { url }: EngineProcess,
  scratch: Scratch,
  metric: string,
  name: string,
): Promise<number | undefined> {
  const ca = readFileSync(join(dataDir(scratch), "tls.crt"));
  const asked = request(`${url}/metrics`, { headers: { authorization: `apk ${apiKeyOf(scratch)}` }, ca });
  asked.end();
  const [answer] = await once(asked, "response");
  const line = (await text(answer)).split("\n").find((one) => one.startsWith(`${metric}{`) && one.includes(`name="${name}"`));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(" ")));
}
