import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { decodeCredentials } from "./credentials.ts";

const data = (values: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")]));

test("a Secret as the engine fills it", () => {
  deepEqual(decodeCredentials(data({ DCT_URL: "https://engine.svc", DCT_KEY: "1.abc", "ca.crt": "PEM" }), "Secret s"), {
    url: "https://engine.svc",
    apiKey: "1.abc",
    caPem: "PEM",
  });
});

test("a Secret as people write it: a bare host, the key with its scheme, line ends", () => {
  deepEqual(decodeCredentials(data({ DCT_URL: "dct.example.com\n", DCT_KEY: "apk 1.abc\n" }), "Secret s"), {
    url: "https://dct.example.com",
    apiKey: "1.abc",
  });
});

test("a Secret that is not filled in yet: says which key, and who fills it", () => {
  throws(
    () => decodeCredentials({}, "Secret ns/delphix-creds"),
    /Secret ns\/delphix-creds holds no DCT_URL yet: the engine fills it/u,
  );
  throws(() => decodeCredentials(data({ DCT_URL: "h" }), "Secret s"), /no DCT_KEY yet/u);
});
