import { deepEqual, doesNotMatch, equal, match, notEqual, throws } from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { addApiKey, apiKeys, nameOfApiKey, replaceApiKey, revokeApiKey, useApiKey } from "./api-keys.ts";
import { openCatalogue } from "./catalogue.ts";

const folder = mkdtempSync(join(tmpdir(), "api-keys-"));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, "catalogue.db");

test("several keys are valid at once, each by its name, until it is revoked or replaced", () => {
  using catalogue = openCatalogue(file);
  const [ci, nightly] = [addApiKey(catalogue, "ci"), addApiKey(catalogue, "nightly")];
  notEqual(ci, nightly);
  deepEqual([nameOfApiKey(catalogue, ci), nameOfApiKey(catalogue, nightly)], ["ci", "nightly"]);
  throws(() => addApiKey(catalogue, "ci"), /there is an API key ci already: choose another name, or revoke it first/u);
  equal(nameOfApiKey(catalogue, ci), "ci", "what was refused changes nothing");
  const later = replaceApiKey(catalogue, "ci");
  deepEqual([nameOfApiKey(catalogue, ci), nameOfApiKey(catalogue, later)], [undefined, "ci"]);
  deepEqual([revokeApiKey(catalogue, "ci"), revokeApiKey(catalogue, "ci")], [true, false]);
  deepEqual([nameOfApiKey(catalogue, later), nameOfApiKey(catalogue, nightly)], [undefined, "nightly"]);
  for (const none of ["", "1.", `${nightly} `, nightly.toUpperCase()]) equal(nameOfApiKey(catalogue, none), undefined, none);
});

test("a use is remembered by the hour", () => {
  using catalogue = openCatalogue(file);
  const key = addApiKey(catalogue, "used");
  const lastUsed = (): string | undefined => apiKeys(catalogue).find(({ name }) => name === "used")?.last_used;
  equal(lastUsed(), undefined);
  for (const [at, want] of [
    ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"],
    ["2026-01-01T00:59:00.000Z", "2026-01-01T00:00:00.000Z"],
    ["2026-01-01T01:00:01.000Z", "2026-01-01T01:00:01.000Z"],
  ] as const) {
    equal(useApiKey(catalogue, key, new Date(at)), "used");
    equal(lastUsed(), want);
  }
});

test("no key stands in the catalogue's file", () => {
  const key = ((): string => {
    using catalogue = openCatalogue(file);
    return addApiKey(catalogue, "hidden");
  })();
  const bytes = readFileSync(file, "latin1");
  match(bytes, /hidden/u);
  doesNotMatch(bytes, new RegExp(key.slice(2), "u"));
});
