/** What an image consists of, as a CycloneDX document: scanners of vulnerabilities and licences read it. */
import { readFileSync } from "node:fs";

/** One package, program or library, named so that scanners know it. */
export interface Component {
  readonly type: "application" | "library";
  readonly name: string;
  readonly version: string;
  /** Package URL. */
  readonly purl: string;
  /** For what no registry has: by this name vulnerabilities are published. */
  readonly cpe?: string;
}

/** `reference`: of the image, `repository:tag`. The same content gives the same bytes: no time, no random number. */
export function sbom(reference: string, components: readonly Component[]): string {
  const [, name = reference, version = ""] = /^(.*):([^:/]+)$/u.exec(reference) ?? [];
  const byPurl = new Map(components.map((one) => [one.purl, { "bom-ref": one.purl, ...one }]));
  const listed = [...byPurl.values()].toSorted((left, right) => (left.purl < right.purl ? -1 : 1));
  const image = { "bom-ref": reference, type: "container", name, version };
  const document = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: image },
    components: listed,
    dependencies: [{ ref: reference, dependsOn: listed.map(({ purl }) => purl) }],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** From lines of name, version, architecture and source package, as base.sh writes them. */
export function debianComponents(lines: string): readonly Component[] {
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [name = "", version = "", architecture = "", source = ""] = line.split("\t");
      const upstream = source === name ? "" : `&upstream=${encodeURIComponent(source)}`;
      const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}&distro=bookworm${upstream}`;
      return { type: "library", name, version, purl };
    });
}

/** `version`: as Node.js itself says it, with its v. */
export function nodeComponent(version: string): Component {
  const plain = version.replace(/^v/u, "");
  return {
    type: "application",
    name: "node",
    version: plain,
    purl: `pkg:generic/node@${plain}`,
    cpe: `cpe:2.3:a:nodejs:node.js:${plain}:*:*:*:*:*:*:*`,
  };
}

export function postgresComponent(version: string): Component {
  return {
    type: "application",
    name: "postgresql",
    version,
    purl: `pkg:generic/postgresql@${version}`,
    cpe: `cpe:2.3:a:postgresql:postgresql:${version}:*:*:*:*:*:*:*`,
  };
}

export function npmComponent(name: string, version: string): Component {
  return { type: "library", name, version, purl: `pkg:npm/${name.replace(/^@/u, "%40")}@${encodeURIComponent(version)}` };
}

/** What Go's linker leaves around the list of modules in every program, stripped or not. */
const listBegins = Buffer.from("3077af0c9274080241e1c107e6d618e6", "hex");
const listEnds = Buffer.from("f932433186182072008242104116d8f2", "hex");

/** Go's own version and the modules that a program is compiled of, as it says itself. */
export function goComponents(program: string): readonly Component[] {
  const bytes = readFileSync(program);
  const from = bytes.indexOf(listBegins);
  const to = bytes.indexOf(listEnds, from);
  if (from === -1 || to === -1) throw new Error(`${program} has no list of Go modules: it is no program of Go's`);
  return goModules(bytes.toString("utf8", from + listBegins.length, to), goVersion(bytes));
}

function goVersion(bytes: Buffer): string {
  const at = bytes.indexOf("\xff Go buildinf:", 0, "latin1");
  const [, version = ""] = /go(\d+\.\d+(?:\.\d+)?)/u.exec(bytes.toString("latin1", at, at + 256)) ?? [];
  if (at === -1 || version === "") throw new Error("no version of Go in it");
  return version;
}

/** Lines as `go version -m` prints them; a replacement (`=>`) is what is really in it. */
export function goModules(lines: string, version: string): readonly Component[] {
  const modules: Component[] = [goModule("stdlib", version)];
  for (const line of lines.split("\n")) {
    const [kind, name = "", release = ""] = line.split("\t");
    if (kind === "=>") modules.pop();
    // A main module without a release is this repository's own.
    if (["mod", "dep", "=>"].includes(kind ?? "") && !["", "(devel)"].includes(release)) modules.push(goModule(name, release));
  }
  return modules;
}

const goModule = (name: string, version: string): Component => ({
  type: "library",
  name,
  version,
  purl: `pkg:golang/${name}@${encodeURIComponent(version)}`,
});
