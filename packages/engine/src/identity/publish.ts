import { setTimeout as sleepMs } from "node:timers/promises";
import { type Client, createClient, httpApi, inClusterConnection, type Log, type PodEnvironment, secrets } from "kube-runtime";
import { wordsOf } from "../failure.ts";

/** The Secret that operator and driver read. Its name is fixed, so the engine may be allowed to patch this one alone. */
const secretName = "delphix-creds";

export interface Credentials {
  readonly url: string;
  readonly caPem: string;
  /** Whether the engine accepts this API key. */
  readonly isValid: (apiKey: string) => boolean;
  /** A new API key of this name; that of the same name before it is valid no longer. */
  readonly issue: (name: string) => string;
}

export interface PublishOptions {
  readonly pod: PodEnvironment;
  readonly namespaces: readonly string[];
  readonly credentials: Credentials;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Looked at again so often: a Secret that somebody changed or made anew is right again soon. */
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

/**
 * Needs `get` and `patch` on this Secret and nothing else; its other keys stay. The engine knows only hashes: a Secret with a valid key
 * keeps it, whoever put it there, and every other gets a new one. So an answer that is lost costs nothing, and a key that is revoked is
 * replaced here.
 */
async function keepPublished(
  client: Pick<Client, "get" | "patch">,
  namespace: string,
  { credentials, log, signal, againMs = 60_000 }: Omit<PublishOptions, "namespaces" | "pod">,
): Promise<void> {
  const { url, caPem, isValid, issue } = credentials;
  const publish = async (): Promise<void> => {
    const { data: present = {} } = await client.get(secrets, { namespace, name: secretName }, signal);
    const key = decoded(present["DCT_KEY"]).replace(/^apk /u, "");
    const values = {
      DCT_URL: url,
      "ca.crt": caPem,
      ...(isValid(key) ? {} : { DCT_KEY: issue(`${namespace}/${secretName}`) }),
    };
    const changed = Object.entries(values).filter(([name, value]) => decoded(present[name]) !== value);
    if (changed.length === 0) return;
    const data = Object.fromEntries(changed.map(([name, value]) => [name, encoded(value)]));
    await client.patch(secrets, { namespace, name: secretName }, { data }, signal);
  };
  let said: string | undefined;
  let retryMs = firstRetryMs;
  while (!signal.aborted) {
    let failure = "";
    try {
      await publish();
      retryMs = firstRetryMs;
    } catch (error) {
      if (signal.aborted) return;
      failure = wordsOf(error);
      retryMs = Math.min(retryMs * 2, longestRetryMs);
    }
    if (failure !== said) say(log, namespace, failure);
    said = failure;
    await sleepMs(failure === "" ? againMs : retryMs, undefined, { signal }).catch(() => undefined);
  }
}

const encoded = (text: string): string => Buffer.from(text).toString("base64");
const decoded = (value: string | undefined): string => Buffer.from(value ?? "", "base64").toString();

function say(log: Log, namespace: string, failure: string): void {
  if (failure === "") log.info({ namespace, secret: secretName }, "credentials published");
  else log.warn({ namespace, secret: secretName, failure }, "cannot publish the credentials; the engine tries again");
}
