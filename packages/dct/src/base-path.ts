import { object } from "./decode.ts";
import { DctError } from "./errors.ts";
import type { Call, Transport } from "./transport.ts";

/** Up to DCT 21 the API lies at /v3, from DCT 22 on at /dct/v3 (server URLs of the vendor's SDKs). */
const candidates = ["/v3", "/dct/v3"] as const;

/** Finds the base path of the API behind an origin; a path that the configured URL already carries is taken as it is. */
export async function probeBasePath(transport: Transport, configuredPath: string, signal?: AbortSignal): Promise<string> {
  const given = configuredPath.replace(/\/+$/u, "");
  if (given !== "") return given;
  for (const path of candidates) if (await answers(transport, path, signal)) return path;
  throw new DctError("badAnswer", `there is no DCT API under ${candidates.join(" or ")}: check DCT_URL`);
}

async function answers(transport: Transport, path: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await transport.call(anyCall(path, signal), object({}, {}));
    return true;
  } catch (error) {
    // A web front end may answer any path with its own page: not the API either.
    if (error instanceof DctError && (error.kind === "notFound" || error.kind === "badAnswer")) return false;
    throw error;
  }
}

/** Pure: a call that every API answers which lies at this base path. */
export function anyCall(basePath: string, signal: AbortSignal | undefined): Call {
  const collection = "/management/engines";
  return { method: "GET", path: basePath + collection, operation: `GET ${collection}`, query: { limit: 1 }, signal };
}
