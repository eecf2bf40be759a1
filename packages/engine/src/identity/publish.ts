import { readFile } from "node:fs/promises";
import { setTimeout as sleepMs } from "node:timers/promises";
import type { Logger } from "pino";
import { Agent, request } from "undici";

/** The Secret that operator and driver read. Its name is fixed, so the engine may be allowed to patch this one alone. */
const secretName = "delphix-creds";
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

export interface Credentials {
  readonly url: string;
  readonly apiKey: string;
  readonly caPem: string;
}

/** Published again so often: a Secret that somebody changed or made anew is right again soon. A patch without a change costs nothing. */
const againMs = 60_000;
const firstRetryMs = 1_000;
const longestRetryMs = 15_000;

/** Writes the credentials into the Secret of each namespace until the signal stops it. Failures are logged once each and retried. */
export async function publishCredentials(
  namespaces: readonly string[],
  credentials: Credentials,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(namespaces.map((namespace) => keepPublished(namespace, credentials, log, signal)));
}

async function keepPublished(namespace: string, credentials: Credentials, log: Logger, signal: AbortSignal): Promise<void> {
  let said = "";
  let retryMs = firstRetryMs;
  while (!signal.aborted) {
    const failure = await patchSecret(namespace, credentials, signal).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (signal.aborted) return;
    const word = failure ?? "published";
    if (word !== said)
      log[failure === undefined ? "info" : "warn"](
        { namespace, secret: secretName, ...(failure === undefined ? {} : { failure }) },
        failure === undefined ? "credentials published" : "credentials not published; trying again",
      );
    said = word;
    retryMs = failure === undefined ? firstRetryMs : Math.min(retryMs * 2, longestRetryMs);
    await sleepMs(failure === undefined ? againMs : retryMs, undefined, { signal }).catch(() => undefined);
  }
}

/** A merge patch of the three keys; needs `patch` on this Secret and nothing else. */
async function patchSecret(namespace: string, { url, apiKey, caPem }: Credentials, signal: AbortSignal): Promise<void> {
  // Read each time: the token is rotated while the pod runs.
  const [token, ca] = await Promise.all([
    readFile(`${serviceAccount}/token`, "utf8"),
    readFile(`${serviceAccount}/ca.crt`, "utf8"),
  ]);
  const data = Object.entries({ DCT_URL: url, DCT_KEY: apiKey, "ca.crt": caPem }).map(([key, value]) => [
    key,
    Buffer.from(value).toString("base64"),
  ]);
  const agent = new Agent({ connect: { ca, timeout: 5_000 } });
  try {
    const answer = await request(`https://kubernetes.default.svc/api/v1/namespaces/${namespace}/secrets/${secretName}`, {
      method: "PATCH",
      dispatcher: agent,
      headers: {
        authorization: `Bearer ${token.trim()}`,
        "content-type": "application/merge-patch+json",
        accept: "application/json",
      },
      body: JSON.stringify({ data: Object.fromEntries(data) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    // The answer holds the Secret: it is read off the connection and dropped, never logged.
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode}: ${statusMessage(text)}`);
  } finally {
    await agent.destroy();
  }
}

function statusMessage(text: string): string {
  const [, message] = /"message":"((?:[^"\\]|\\.)*)"/u.exec(text) ?? [];
  return message ?? "no Status in the answer";
}
