import { equal, rejects } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openCatalogue } from "./catalogue.ts";
import { takeOverCatalogue } from "./take-over.ts";

const folder = mkdtempSync(join(tmpdir(), "take-over-"));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, "catalogue.db");

test("an engine waits for the end of the one before it, and takes over what that one has written", async () => {
  const former = openCatalogue(file);
  const number = former.next("job");
  const successor = takeOverCatalogue(file, 30_000);
  setTimeout(() => former[Symbol.dispose](), 300);
  using catalogue = await successor;
  equal(catalogue.next("job"), number + 1);
});

test("an engine that stays keeps its folder", async () => {
  using present = openCatalogue(file);
  await rejects(takeOverCatalogue(file, 100), /another engine runs on this folder/u);
  equal(typeof present.next("job"), "number");
});
