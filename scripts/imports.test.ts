import { deepEqual, ok } from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";

/** Which workspace packages a package may import (docs/development.md). `types` marks an import that may carry types alone. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  api: ["kube-runtime"],
  dct: [],
  operator: ["kube-runtime", "kube-runtime/testing", "@vdb/api", "@vdb/dct"],
  csi: ["kube-runtime", "@vdb/api", "@vdb/dct"],
  engine: ["kube-runtime", "@vdb/dct", "@vdb/dct/openapi"],
  cli: ["kube-runtime", "@vdb/api"],
};

/** What the tests of a package may import besides: its unit tests, what they share in folders `testing`, and everything in its integration folder. */
const allowedInTests: Readonly<Record<string, readonly string[]>> = {
  api: ["kube-runtime/testing"],
  operator: ["@vdb/dct/testing"],
  csi: ["kube-runtime/testing", "@vdb/dct/testing"],
  engine: ["kube-runtime/testing", "@vdb/dct/testing"],
  cli: ["kube-runtime/testing", "@vdb/operator/testing"],
};
const isTest = (file: string): boolean =>
  file.endsWith(".test.ts") || file.split("/")[2] === "integration" || file.includes("/testing/");

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

/** In the operator: what a folder may not know, so that another implementation or another writer needs no change there. */
const keptApart: readonly { readonly files: string; readonly found: RegExp; readonly why: string }[] = [
  {
    files: "packages/operator/src/vdb/**/*.ts",
    found: /from "(?:@vdb\/dct|[^"]*\/data\/dct\/)/u,
    why: "steps know of sources what data/source.ts says",
  },
  {
    files: "packages/operator/src/data/*.ts",
    found: /from "(?:@vdb\/dct|\.\/dct\/)/u,
    why: "the interface and the choice between sources name none of them",
  },
  {
    files: "packages/operator/src/vdb/**/!(apply-config-map|apply-deployment|apply-service|*.test).ts",
    found: /(?:applyOwn\(|\.(?:apply|create|update|patch)\()\s*(?:\w+,\s*)?(?:configMaps|deployments|services)\b/u,
    why: "ConfigMap, Deployment and Service are each written in one file",
  },
];

test("the operator's folders know of each other what they need", () => {
  for (const { files, found, why } of keptApart) {
    const all = globSync(files);
    ok(all.length > 0, files);
    deepEqual(
      all.filter((file) => found.test(readFileSync(file, "utf8"))),
      [],
      why,
    );
  }
});

test("what is imported only when it is needed is a module of the newer kind, so that a bundle keeps its names", () => {
  const wrong: string[] = [];
  for (const file of globSync("packages/*/src/**/!(*.test).ts"))
    for (const [, name = ""] of readFileSync(file, "utf8").matchAll(/await import\("([^".][^"]*)"\)/gu)) {
      const isModule = /"type": "module"/u.test(readFileSync(`node_modules/${name}/package.json`, "utf8"));
      if (!isModule) wrong.push(`${file} imports ${name}: let a file of its own do it`);
    }
  deepEqual(wrong, []);
});
