import { setTimeout as sleepMs } from "node:timers/promises";
import { type Client, createClient, httpApi, inClusterConnection, type Log, type PodEnvironment, secrets } from "kube-runtime";

/** The Secret that operator and driver read. Its name is fixed, so the engine may be allowed to patch this one alone. */
const secretName = "delphix-creds";

export interface Credentials {
  readonly url: string;
  readonly apiKey: string;
  readonly caPem: string;
}

export interface PublishOptions {
  readonly pod: PodEnvironment;
  readonly namespaces: readonly string[];
  readonly credentials: Credentials;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Published again so often: a Secret that somebody changed or made anew is right again soon; no change costs nothing. */
  readonly againMs?: number;
}

const firstRetryMs = 500;
const longestRetryMs = 5_000;

/** Keeps the Secret of each namespace filled until the signal stops it. A namespace or Secret that is not there yet is tried again. */
export async function publishCredentials({ namespaces, pod, ...options }: PublishOptions): Promise<void> {
  if (namespaces.length === 0) return;
  const connection = await inClusterConnection(pod);
  if (connection === undefined)
    return options.log.error(
      { namespaces },
      "cannot publish the credentials: the engine does not run in a pod with a service account",
    );
  await using api = httpApi(connection, { userAgent: "delphix-engine" });
  const client = createClient(api, { fieldManager: "delphix-engine", timeoutSeconds: 10 });
  await Promise.all(namespaces.map((namespace) => keepPublished(client, namespace, options)));
}

/** Needs `patch` on this Secret and nothing else; its other keys stay. */
async function keepPublished(
  client: Pick<Client, "patch">,
  namespace: string,
  { credentials, log, signal, againMs = 60_000 }: Omit<PublishOptions, "namespaces" | "pod">,
): Promise<void> {
  const values = { DCT_URL: credentials.url, DCT_KEY: credentials.apiKey, "ca.crt": credentials.caPem };
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")]));
  let said: string | undefined;
  let retryMs = firstRetryMs;
  while (!signal.aborted) {
    let failure = "";
    try {
      await client.patch(secrets, { namespace, name: secretName }, { data }, signal);
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

function say(log: Log, namespace: string, failure: string): void {
  if (failure === "") log.info({ namespace, secret: secretName }, "credentials published");
  else log.warn({ namespace, secret: secretName, failure }, "cannot publish the credentials; the engine tries again");
}
