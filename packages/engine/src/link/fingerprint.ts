import { createHash } from "node:crypto";
import { type DSourceConnection, isEmptySource } from "../catalogue/rows.ts";
import type { Secrets } from "./secrets.ts";

/** Changes with everything that reaching a source depends on: a Secret that was not there, or held something else, included. */
export async function fingerprintOf(connection: DSourceConnection, secrets: Secrets): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(connection));
  const refs = isEmptySource(connection) ? [] : [connection.passwordSecret, connection.sslRootCertSecret];
  for (const ref of refs) if (ref !== undefined) hash.update(await secrets.read(ref).catch((error: unknown) => String(error)));
  return hash.digest("hex");
}
