import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Agent, request } from "undici";

/** The API server as a pod sees it. */
export interface ApiServer {
  readonly url: string;
  /** Holds `token` and `ca.crt`; the token is rotated while the pod runs, so both are read each time. */
  readonly serviceAccountDir: string;
}

/** Sets these keys of a Secret that exists and leaves its other keys; needs `patch` on this Secret and nothing else. */
export async function patchSecret(
  api: ApiServer,
  namespace: string,
  name: string,
  values: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const [token, ca] = await Promise.all(["token", "ca.crt"].map((file) => readFile(join(api.serviceAccountDir, file), "utf8")));
  const data = Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
  const agent = new Agent({ connect: { ...(ca === undefined ? {} : { ca }), timeout: 5_000 } });
  try {
    const { statusCode, body } = await request(`${api.url}/api/v1/namespaces/${namespace}/secrets/${name}`, {
      method: "PATCH",
      dispatcher: agent,
      headers: {
        authorization: `Bearer ${token?.trim()}`,
        "content-type": "application/merge-patch+json",
        accept: "application/json",
      },
      body: JSON.stringify({ data: Object.fromEntries(data) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    // A success carries the Secret: it is read off the connection and dropped, never logged.
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`HTTP ${statusCode}: ${messageOf(text)}`);
  } finally {
    await agent.destroy();
  }
}

/** The words of a Status object. */
function messageOf(text: string): string {
  try {
    const status: unknown = JSON.parse(text);
    if (typeof status === "object" && status !== null && "message" in status && typeof status.message === "string")
      return status.message;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return "no Status in the answer";
}
