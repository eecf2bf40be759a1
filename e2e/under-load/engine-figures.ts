/** What the engine says of itself. */
import { once } from "node:events";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { type Kubectl, withEngineAccess } from "@vdb/cluster";

/** The sum of a metric's samples: of a dSource that was linked again under its name there are several. */
async function figure(kubectl: Kubectl, name: string, label = ""): Promise<number> {
  const metrics = await withEngineAccess(kubectl, async ({ url, apiKey, caPem }) => {
    const asked = request(`${url}/metrics`, { headers: { authorization: `apk ${apiKey}` }, ca: caPem });
    asked.end();
    const [answer] = await once(asked, "response");
    return await text(answer);
  });
  const samples = metrics.split("\n").filter((line) => line.startsWith(name) && line.includes(label));
  return samples.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

export const poolBytes = (kubectl: Kubectl): Promise<number> => figure(kubectl, "delphix_engine_pool_used_bytes");

/** What the engine has read from a dSource's server since it started. */
export const bytesRead = (kubectl: Kubectl, dSource: string): Promise<number> =>
  figure(kubectl, "delphix_engine_dsource_read_bytes_total{", `name="${dSource}"`);
