import { deepEqual } from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";

test("no two packages have a class of the same name: an error in a log says where it comes from", () => {
  const owners = new Map<string, string[]>();
  for (const file of globSync("packages/*/src/**/*.ts"))
    for (const [, name = ""] of readFileSync(file, "utf8").matchAll(/^export class (\w+)/gmu))
      owners.set(name, [...(owners.get(name) ?? []), file]);
  deepEqual(
    [...owners.values()].filter((files) => files.length > 1),
    [],
  );
});
