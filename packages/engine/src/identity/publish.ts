import { setTimeout as sleepMs } from "node:timers/promises";
import type { Logger } from "pino";
import { type ApiServer, patchSecret } from "./patch-secret.ts";

/** The Secret that operator and driver read. Its name is fixed, so the engine may be allowed to patch this one alone. */
const secretName = "delphix-creds";

export interface Credentials {
  readonly url: string;
  readonly apiKey: string;
  readonly caPem: string;
}

export interface PublishOptions {
  readonly api: ApiServer;
  readonly namespaces: readonly string[];
  readonly credentials: Credentials;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Published again so often: a Secret that somebody changed or made anew is right again soon; no change costs nothing. */
  readonly againMs?: number;
}

const firstRetryMs = 500;
const longestRetryMs = 5_000;

/** Keeps the Secret of each namespace filled until the signal stops it. A namespace or Secret that is not there yet is tried again. */
export async function publishCredentials({ namespaces, ...options }: PublishOptions): Promise<void> {
  await Promise.all(namespaces.map((namespace) => keepPublished(namespace, options)));
}

async function keepPublished(namespace: string, options: Omit<PublishOptions, "namespaces">): Promise<void> {
  const { api, log, signal, againMs = 60_000 } = options;
  const { url, apiKey, caPem } = options.credentials;
  let said: string | undefined;
  let retryMs = firstRetryMs;
  while (!signal.aborted) {
    let failure = "";
    try {
      await patchSecret(api, namespace, secretName, { DCT_URL: url, DCT_KEY: apiKey, "ca.crt": caPem }, signal);
      retryMs = firstRetryMs;
    } catch (error) {
      if (signal.aborted) return;
      failure = error instanceof Error ? error.message : String(error);
      retryMs = Math.min(retryMs * 2, longestRetryMs);
    }
    if (failure !== said) say(log, namespace, failure);
    said = failure;
    await sleepMs(failure === "" ? againMs : retryMs, undefined, { signal }).catch(() => undefined);
  }
}

function say(log: Logger, namespace: string, failure: string): void {
  if (failure === "") log.info({ namespace, secret: secretName }, "credentials published");
  else log.warn({ namespace, secret: secretName, failure }, "credentials not published; trying again");
}
