import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { createDctClient } from "./client.ts";
import { DctNotConfigured, decodeCredentials } from "./credentials.ts";

const at = { namespace: "ns", name: "s" };
const secret = (values: Readonly<Record<string, string>>) => ({
  data: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")])),
});

const understood: readonly { name: string; why: string; url: string; key: string; want: string }[] = [
  {
    name: "as the engine fills it",
    why: "the usual case",
    url: "https://dct.test:8443",
    key: "1.abc",
    want: "https://dct.test:8443",
  },
  { name: "a bare host", why: "the vendor's own chart writes it so", url: "dct.test", key: "1.abc", want: "https://dct.test" },
  {
    name: "a bare host with its port",
    why: "`dct.test:` alone would parse as a scheme",
    url: "dct.test:8443",
    key: "1.abc",
    want: "https://dct.test:8443",
  },
  {
    name: "the key with its scheme",
    why: "DCT shows it so, for copying",
    url: "https://dct.test",
    key: "apk 1.abc",
    want: "https://dct.test",
  },
  {
    name: "line ends",
    why: "`kubectl create secret --from-file` keeps them",
    url: " dct.test\n",
    key: "apk  1.abc\r\n",
    want: "https://dct.test",
  },
  {
    name: "a base path",
    why: "DCT behind a proxy",
    url: "https://dct.test/dct/v3",
    key: "1.abc",
    want: "https://dct.test/dct/v3",
  },
];
for (const { name, why, url, key, want } of understood)
  test(`a Secret is understood: ${name}`, async () => {
    const found = decodeCredentials(secret({ DCT_URL: url, DCT_KEY: key }), at);
    deepEqual(found, { url: want, apiKey: "1.abc" }, why);
    await createDctClient(found)[Symbol.asyncDispose](); // a client can be made of whatever was accepted
  });

test("a certificate authority is taken with them", () => {
  const found = decodeCredentials(secret({ DCT_URL: "h", DCT_KEY: "k", "ca.crt": "PEM\n" }), at);
  deepEqual(found, { url: "https://h", apiKey: "k", caPem: "PEM" });
});

const refused: readonly { name: string; data: Record<string, string> | undefined; want: RegExp }[] = [
  { name: "no Secret", data: undefined, want: /^Secret s in namespace ns does not exist: create it with DCT_URL and DCT_KEY$/u },
  { name: "an empty one", data: {}, want: /^Secret s in namespace ns has no DCT_URL yet: the embedded engine sets it/u },
  { name: "no key", data: { DCT_URL: "h" }, want: /no DCT_KEY yet/u },
  { name: "a scheme without a key", data: { DCT_URL: "h", DCT_KEY: "apk " }, want: /no DCT_KEY yet/u },
  { name: "no URL", data: { DCT_URL: "my dct", DCT_KEY: "k" }, want: /DCT_URL is not a URL, for example/u },
  { name: "another protocol", data: { DCT_URL: "ldap://dct", DCT_KEY: "k" }, want: /DCT_URL is not a URL/u },
  { name: "a key of two lines", data: { DCT_URL: "h", DCT_KEY: "k\nx-role: admin" }, want: /DCT_KEY is not an API key/u },
];
for (const { name, data, want } of refused)
  test(`a Secret is refused: ${name}`, () => {
    throws(
      () => decodeCredentials(data === undefined ? undefined : secret(data), at),
      (error) => error instanceof DctNotConfigured && want.test(error.message),
    );
  });
