import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { credentialsOf, leaksIn } from "./leaks.ts";

const leaks = (bytes: string, names: readonly string[] = [], machine: readonly string[] = []): readonly string[] =>
  leaksIn({ names, bytes }, machine);
const key = "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC7VJTUt9Us8cKj";

const found: readonly (readonly [bytes: string, what: string])[] = [
  [`\0-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`, "a private key"],
  [`-----BEGIN RSA PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\nDEK-Info: AES-128-CBC,0A\r\n\r\n${key}`, "a private key"],
  [`-----BEGIN OPENSSH PRIVATE KEY-----\n${key}`, "a private key"],
  [`const token = "npm_${"a1B2".repeat(9)}";`, "an npm token"],
  ["//registry.example/:_authToken=0f1e2d", "an npm token"],
  ["GET https://builder:hunter2@registry.example/x", "a password in an address"],
  ["root:*:1:0:99999:7:::\ndeploy:$y$j9T$abc:19000:0:99999:7:::\n", "an account with a password"],
  ["guest::19000:0:99999:7:::\n", "an account with a password"],
];
for (const [bytes, what] of found)
  test(`${what} is found: ${JSON.stringify(bytes.slice(0, 40))}`, () => {
    deepEqual(leaks(bytes), [what]);
  });

test("what programs and their texts are full of is none", () => {
  const usual = [
    '"-----BEGIN PRIVATE KEY-----"\0"-----END PRIVATE KEY-----"',
    "-----BEGIN CERTIFICATE-----\n",
    "_authToken=${NPM_TOKEN}",
    "postgres://user:password@",
    "https://user:%s@host",
    "root:*:19000:0:99999:7:::\n_apt:!:19000:0:99999:7:::\n",
    "root:x:0:0:root:/root:/bin/bash\n",
  ];
  deepEqual(leaks(usual.join("\n")), []);
});

test("files that hold credentials, wherever they lie", () => {
  const names = [
    "root/.npmrc",
    "app/.git/config",
    "home/x/.ssh/",
    "root/.bash_history",
    "etc/ssl/server.key",
    "root/.ssh/id_rsa",
  ];
  deepEqual(
    leaks("", names),
    names.map((name) => `the file ${name}`),
  );
  deepEqual(leaks("", ["etc/ssl/certs/ISRG_Root_X1.pem", "usr/share/keyrings", "app/main.mjs", "etc/.environment"]), []);
});

test("what only the building machine knows, without printing it", () => {
  deepEqual(leaks("sources in /home/me/clone", [], ["s3cret-of-the-build", "/home/me/clone"]), [
    "string 2 of the building machine",
  ]);
});

test("the build's credentials are told by the names of their variables", () => {
  const environment = { NPM_TOKEN: "0123456789", GITHUB_AUTH: "abcdefgh", PGPASSWORD: "short", HOME: "/root/long/enough" };
  deepEqual(credentialsOf(environment), ["0123456789", "abcdefgh"]);
});
