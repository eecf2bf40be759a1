import { equal, rejects, throws } from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { decodeNewConnection } from "../config/connection-fields.ts";
import { mountedSecrets } from "./secrets.ts";

const folder = mkdtempSync(join(tmpdir(), "secrets-"));
after(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, "link"));
const kept = (value: string) => {
  writeFileSync(join(folder, "link/password"), value);
  return mountedSecrets(folder).readPassword({ name: "link", key: "password" });
};

test("a password is what its file holds, without the newline at its end", async () => {
  equal(await kept("p\\ ä'\"s\r\n"), "p\\ ä'\"s");
});

const saysNothing = (error: unknown): boolean => error instanceof Error && !error.message.includes("abra");

for (const value of ["abra\0cadabra", "abra\ncadabra", "abra\x7fcadabra"]) {
  test(`a password with a control character (${JSON.stringify(value)}) is refused, and not a word of it is told`, async () => {
    await rejects(kept(value), /key "password" of Secret "link" contains control characters/u);
    await rejects(kept(value), saysNothing);
    const link = { host: "db", user: "u", password: value };
    throws(() => decodeNewConnection(link, "body.parameters"), /body\.parameters\.password: contains control characters/u);
    throws(() => decodeNewConnection(link, "body.parameters"), saysNothing);
  });
}

test("what the API is sent is checked as the configuration is", () => {
  throws(() => decodeNewConnection({ host: "db", user: "u", sslMode: "require" }, "p"), /p\.sslMode: is not a known field/u);
  throws(
    () => decodeNewConnection({ host: "db", user: "u", sslmode: "verify-ca" }, "p"),
    /sslmode verify-ca needs sslRootCertSecret/u,
  );
  throws(() => decodeNewConnection({ host: "db", user: "u", port: 0 }, "p"), /p\.port: must be a port from 1/u);
});
