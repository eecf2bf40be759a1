import { deepEqual } from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";

/** Which workspace packages a package may import (docs/development.md). `types` marks an import that may carry types alone. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  api: ["kube-runtime"],
  dct: [],
  operator: ["kube-runtime", "kube-runtime/testing", "@vdb/api", "@vdb/dct"],
  csi: ["@vdb/dct"],
  engine: ["@vdb/dct"],
};

test("packages import each other in one direction, through their entry files alone", () => {
  const wrong: string[] = [];
  for (const file of globSync("packages/*/{src,integration}/**/*.ts")) {
    const owner = file.split("/")[1] ?? "";
    for (const [, specifier = ""] of readFileSync(file, "utf8").matchAll(/^\s*(?:import|export)[^"';]*from\s+"([^"]+)"/gmu)) {
      const foreign = /^(?:kube-runtime|@vdb\/)/u.test(specifier) && !(allowed[owner] ?? []).includes(specifier);
      const deep = specifier.startsWith("../") && new URL(specifier, `file:///${file}`).pathname.split("/")[2] !== owner;
      if (foreign || deep) wrong.push(`${file} imports ${specifier}`);
    }
  }
  deepEqual(wrong, []);
});
