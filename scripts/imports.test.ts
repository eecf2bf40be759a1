import { deepEqual } from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";

/** Which workspace packages a package may import (docs/development.md). `types` marks an import that may carry types alone. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  api: ["kube-runtime"],
  dct: [],
  operator: ["kube-runtime", "kube-runtime/testing", "@vdb/api", "@vdb/dct"],
  csi: ["kube-runtime", "@vdb/api", "@vdb/dct"],
  engine: ["kube-runtime", "@vdb/dct"],
};

/** What the tests of a package may import besides: its unit tests, what they share in src/testing, and everything in its integration folder. */
const allowedInTests: Readonly<Record<string, readonly string[]>> = {
  api: ["kube-runtime/testing"],
  operator: ["@vdb/dct/testing"],
  csi: ["kube-runtime/testing", "@vdb/dct/testing"],
  engine: ["@vdb/dct/testing"],
};
const isTest = (file: string): boolean =>
  file.endsWith(".test.ts") || file.split("/")[2] === "integration" || file.includes("/src/testing/");

test("packages import each other in one direction, through their entry files alone", () => {
  const wrong: string[] = [];
  for (const file of globSync("packages/*/{src,integration}/**/*.ts")) {
    const owner = file.split("/")[1] ?? "";
    const may = [...(allowed[owner] ?? []), ...(isTest(file) ? (allowedInTests[owner] ?? []) : [])];
    for (const [, specifier = ""] of readFileSync(file, "utf8").matchAll(/^\s*(?:import|export)[^"';]*from\s+"([^"]+)"/gmu)) {
      const foreign = /^(?:kube-runtime|@vdb\/)/u.test(specifier) && !may.includes(specifier);
      const deep = specifier.startsWith("../") && new URL(specifier, `file:///${file}`).pathname.split("/")[2] !== owner;
      if (foreign || deep) wrong.push(`${file} imports ${specifier}`);
    }
  }
  deepEqual(wrong, []);
});
