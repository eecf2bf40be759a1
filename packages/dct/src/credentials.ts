/** How DCT is reached. */
export interface Credentials {
  readonly url: string;
  readonly apiKey: string;
  /** The certificate authority to trust; left out: those of the system. */
  readonly caPem?: string;
}

/** Why there is no DCT to ask: its Secret is missing, or does not say how. A person or the embedded engine fills it in. */
export class DctNotConfigured extends Error {
  override readonly name = "DctNotConfigured";
}

/** A Secret as the API server answers it: its values are in base64. */
interface Secret {
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * What a Secret with DCT_URL, DCT_KEY and ca.crt says; undefined: there is no such Secret. Values are taken as people and the
 * vendor's own chart write them: a bare host name is https, the key may have its scheme `apk` before it, and white space
 * around a value is none of it. `key` is for the messages. Throws DctNotConfigured.
 */
export function decodeCredentials(
  secret: Secret | undefined,
  { namespace, name }: { readonly namespace?: string; readonly name: string },
): Credentials {
  const where = `Secret ${name} in namespace ${namespace ?? "default"}`;
  if (secret === undefined) throw new DctNotConfigured(`${where} does not exist: create it with DCT_URL and DCT_KEY`);
  const value = (key: string): string =>
    Buffer.from(secret.data?.[key] ?? "", "base64")
      .toString()
      .trim();
  const [host, apiKey, caPem] = [value("DCT_URL"), value("DCT_KEY").replace(/^apk(?:\s+|$)/iu, ""), value("ca.crt")];
  if (host === "" || apiKey === "")
    throw new DctNotConfigured(
      `${where} has no ${host === "" ? "DCT_URL" : "DCT_KEY"} yet: the embedded engine sets it when it starts; for your own DCT set it yourself`,
    );
  const url = host.includes("://") ? host : `https://${host}`;
  if (!URL.canParse(url) || !/^https?:$/u.test(new URL(url).protocol))
    throw new DctNotConfigured(`${where}: DCT_URL is not a URL, for example https://dct.example.com`);
  // It becomes an HTTP header, which a line break or a control character would break out of.
  if (!/^[\x21-\x7e]+$/u.test(apiKey))
    throw new DctNotConfigured(
      `${where}: DCT_KEY is not an API key: it contains white space or other characters that no key has`,
    );
  return { url, apiKey, ...(caPem === "" ? {} : { caPem }) };
}

export const sameCredentials = (one: Credentials, other: Credentials): boolean =>
  one.url === other.url && one.apiKey === other.apiKey && one.caPem === other.caPem;
