import { createDctClient, type DctClient, DctError } from "@vdb/dct";
import { type Client, type ObjectKey, secrets, secretText } from "kube-runtime";

/** Why there is no DCT to ask. A condition of databases that need one; all others are served regardless. */
export class DctNotConfigured extends Error {
  override readonly name = "DctNotConfigured";
}

/** The DCT that the credentials name: one client for all databases, a new one when the credentials change. */
export interface DctConnection extends AsyncDisposable {
  /** Calls DCT. A refused key makes it read the Secret again, and call once more when that one has another. */
  readonly call: <T>(work: (client: DctClient) => Promise<T>, signal: AbortSignal) => Promise<T>;
}

export interface DctConnectionOptions {
  readonly client: Client;
  /** The Secret with DCT_URL, DCT_KEY and ca.crt. It is read by its name, never listed or watched. */
  readonly secret: ObjectKey;
  readonly connect?: typeof createDctClient;
  readonly now?: () => number;
}

/** A Secret that was found is believed so long; one that was empty is asked for every time. */
const believedMs = 30_000;

interface Credentials {
  readonly url: string;
  readonly apiKey: string;
  readonly caPem?: string;
}

interface Held {
  readonly credentials: Credentials;
  readonly client: DctClient;
  readonly readAt: number;
}

export function createDctConnection(options: DctConnectionOptions): DctConnection {
  const { connect = createDctClient, now = () => performance.now() } = options;
  let held: Held | undefined;

  const open = async (signal: AbortSignal): Promise<Held> => {
    const credentials = await readCredentials(options, signal);
    if (held !== undefined && same(held.credentials, credentials)) return (held = { ...held, readAt: now() });
    await held?.client[Symbol.asyncDispose]();
    return (held = { credentials, client: connect(credentials), readAt: now() });
  };

  return {
    call: async (work, signal) => {
      const used = held !== undefined && now() - held.readAt < believedMs ? held : await open(signal);
      try {
        return await work(used.client);
      } catch (error) {
        if (!(error instanceof DctError) || !mayBeTheCredentials(error)) throw error;
        const renewed = await open(signal);
        if (renewed.client === used.client) throw error;
        return await work(renewed.client);
      }
    },
    [Symbol.asyncDispose]: async () => await held?.client[Symbol.asyncDispose](),
  };
}

/** An engine that was installed anew has another key, another certificate and perhaps another address. */
const mayBeTheCredentials = ({ kind }: DctError): boolean => kind === "unauthorized" || kind === "unreachable";

const same = (one: Credentials, other: Credentials): boolean =>
  one.url === other.url && one.apiKey === other.apiKey && one.caPem === other.caPem;

async function readCredentials({ client, secret }: DctConnectionOptions, signal: AbortSignal): Promise<Credentials> {
  const found = await client.find(secrets, secret, signal);
  const where = `Secret ${secret.name} in namespace ${secret.namespace ?? ""}`;
  const [url = "", apiKey = "", caPem = ""] = ["DCT_URL", "DCT_KEY", "ca.crt"].map((key) =>
    found === undefined ? "" : (secretText(found, key) ?? "").trim(),
  );
  if (found === undefined) throw new DctNotConfigured(`${where} does not exist: it holds DCT_URL and DCT_KEY`);
  if (url === "" || apiKey === "")
    throw new DctNotConfigured(
      `${where} has no ${url === "" ? "DCT_URL" : "DCT_KEY"} yet: the embedded engine fills it when it starts, or set it to your DCT's`,
    );
  if (!URL.canParse(url)) throw new DctNotConfigured(`${where}: DCT_URL is not a URL, for example https://dct.example.com`);
  return { url, apiKey, ...(caPem === "" ? {} : { caPem }) };
}
