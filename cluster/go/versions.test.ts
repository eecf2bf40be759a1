/**
 * The modules of this folder agree on the versions of what they share: then Go compiles each package once for all of them.
 * Where they do not, the first `make demo` takes minutes longer.
 */
import { deepEqual } from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";

/** The sidecars of CSI speak a newer protocol than the kubelet does: two packages, compiled twice. */
const mayDiffer = new Set(["github.com/container-storage-interface/spec"]);

type Requirement = { readonly module: string; readonly path: string; readonly version: string };

/** `version`: the one that is chosen, by which Go's cache goes, and the one whose sources replace it. */
function requirements(module: string, goMod: string): readonly Requirement[] {
  const withoutExcludes = goMod.replaceAll(/^exclude (?:\([^)]*\)|.*)/gmu, "");
  const found = (pattern: RegExp): readonly (readonly [path: string, version: string])[] =>
    [...withoutExcludes.matchAll(pattern)].map(([, path = "", version = ""]) => [path, version]);
  const sources = new Map(found(/^(?:replace |\t)(\S+) => \S+ (v\S+)$/gmu));
  return found(/^(?:require |\t)(\S+) (v\S+)(?: \/\/ indirect)?$/gmu).map(([path, version]) => ({
    module,
    path,
    version: `${version} by the sources of ${sources.get(path) ?? version}`,
  }));
}

/** What is required in several versions: a line for each, with who requires which. */
function differing(all: readonly Requirement[]): readonly string[] {
  return [...Map.groupBy(all, ({ path }) => path)]
    .filter(([path, of]) => !mayDiffer.has(path) && new Set(of.map(({ version }) => version)).size > 1)
    .map(([path, of]) => `${path}: ${of.map(({ module, version }) => `${module} ${version}`).join("; ")}`);
}

test("no module is required in two versions", () => {
  const goMods = globSync("*/go.mod", { cwd: import.meta.dirname }).toSorted();
  const all = goMods.flatMap((file) => requirements(dirname(file), readFileSync(join(import.meta.dirname, file), "utf8")));
  deepEqual(goMods.map(dirname), ["csi-sanity", "csi", "helm", "kstatus", "kube"]);
  deepEqual(differing(all), [], "exclude the newer version in go.mod, then `go mod tidy`");
});

test("another version, and another replacement of the same version, differ", () => {
  const kube = "require (\n\ta.b/c v1.0.0\n\td.e/f v0.0.0 // indirect\n)\n\nreplace (\n\td.e/f => d.e/f v0.36.3\n)\n";
  const helm =
    "require a.b/c v1.0.1 // indirect\n\nrequire d.e/f v0.0.0\n\nreplace d.e/f => d.e/f v0.36.2\n\nexclude (\n\ta.b/c v1.0.2\n)\n";
  deepEqual(differing([...requirements("kube", kube), ...requirements("helm", helm)]), [
    "a.b/c: kube v1.0.0 by the sources of v1.0.0; helm v1.0.1 by the sources of v1.0.1",
    "d.e/f: kube v0.0.0 by the sources of v0.36.3; helm v0.0.0 by the sources of v0.36.2",
  ]);
});
