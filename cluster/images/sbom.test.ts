import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { bundle } from "./bundle.ts";
import { debianComponents, goComponents, goModules, nodeComponent, npmComponent, postgresComponent, sbom } from "./sbom.ts";

const repository = join(import.meta.dirname, "../..");
const debian = "libext2fs2\t1.47.0-2+b2\tamd64\te2fsprogs\nmawk\t1.3.4.20200120-3.1\tamd64\tmawk\nlogin\t1:4.13\tamd64\tshadow\n";
const all = [
  ...debianComponents(debian),
  nodeComponent("v26.10.0"),
  postgresComponent("16.2"),
  npmComponent("@scope/a", "1.0.0-rc.1+x"),
  ...goModules("path\tx\nmod\texample.com/x\t(devel)\t\ndep\tk8s.io/api\tv0.36.1\th1:=\n", "1.26.8"),
];

test("a document that the specification's schema accepts, of every sort of component", async () => {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  equal(await validator.validate(sbom("host.example:5000/team/x:1", all)), null);
  // A schema that accepts anything would show nothing.
  ok((await validator.validate(sbom("x:1", all).replace('"library"', '"libary"'))) !== null);
});

test("the same content gives the same bytes, whatever the order, and no component twice", () => {
  equal(sbom("x:1", all), sbom("x:1", [...all.toReversed(), ...all]));
});

test("package URLs as scanners read them", () => {
  const purls = all.map(({ purl }) => purl);
  deepEqual(purls, [
    "pkg:deb/debian/libext2fs2@1.47.0-2%2Bb2?arch=amd64&distro=bookworm&upstream=e2fsprogs",
    "pkg:deb/debian/mawk@1.3.4.20200120-3.1?arch=amd64&distro=bookworm",
    "pkg:deb/debian/login@1%3A4.13?arch=amd64&distro=bookworm&upstream=shadow",
    "pkg:generic/node@26.10.0",
    "pkg:generic/postgresql@16.2",
    "pkg:npm/%40scope/a@1.0.0-rc.1%2Bx",
    "pkg:golang/stdlib@1.26.8",
    "pkg:golang/k8s.io/api@v0.36.1",
  ]);
});

test("a replaced Go module is the one that is in the program; a release of the main one counts", () => {
  const lines =
    "mod\texample.com/main\tv2.3.0\th1:=\ndep\texample.com/old\tv1.0.0\n=>\texample.com/new\tv1.1.0\th1:=\nbuild\t-compiler=gc\n";
  deepEqual(
    goModules(lines, "1.26.8").map(({ name, version }) => `${name} ${version}`),
    ["stdlib 1.26.8", "example.com/main v2.3.0", "example.com/new v1.1.0"],
  );
});

test("a program of Go's says its modules itself, as Go's own command reads them", { skip: !hasGo() }, () => {
  const program = join(repository, ".local/bin/kubectl");
  const read = spawnSync("go", ["version", "-m", program], { encoding: "utf8" }).stdout;
  const lines = read.split("\n").map((line) => line.slice(1));
  const [, version = ""] = /: go(\S+)/u.exec(read) ?? [];
  deepEqual(goComponents(program), goModules(lines.join("\n"), version));
  ok(goComponents(program).some(({ name }) => name === "k8s.io/api"));
  throws(() => goComponents(join(import.meta.dirname, "sbom.ts")), /is no program of Go's/u);
});

function hasGo(): boolean {
  return spawnSync("go", ["version"]).status === 0;
}

test("the bundle's packages are those that the program imports, with their versions", async () => {
  const { packages } = await bundle(repository, "operator");
  const { version }: { version: string } = JSON.parse(readFileSync(join(repository, "node_modules/undici/package.json"), "utf8"));
  equal(packages.find(({ name }) => name === "undici")?.version, version);
  deepEqual(
    packages.filter(({ name }) => ["esbuild", "typescript", "fast-check"].includes(name)),
    [],
  );
});

for (const file of globSync(join(repository, ".local/sbom/*.cdx.json")))
  test(`${file.slice(file.lastIndexOf("/") + 1)}, as built here`, async () => {
    const text = readFileSync(file, "utf8");
    equal(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text), null);
    match(text, /"purl"/u);
  });
