import { deepEqual, equal } from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { apiKeys, nameOfApiKey } from "../catalogue/api-keys.ts";
import { openCatalogue } from "../catalogue/catalogue.ts";
import { takeOverFormerKey } from "./former-key.ts";

test("the key of an engine that kept it in a file stays valid, and the file goes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "former-key-"));
  try {
    using catalogue = openCatalogue(join(folder, "catalogue.db"));
    await takeOverFormerKey(folder, catalogue);
    deepEqual(apiKeys(catalogue), []);
    writeFileSync(join(folder, "api-key"), "1.former\n");
    await takeOverFormerKey(folder, catalogue);
    equal(nameOfApiKey(catalogue, "1.former"), "api-key");
    equal(existsSync(join(folder, "api-key")), false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
