/** What krew refuses of a manifest, as its validate-krew-manifest does and its naming guide says. */

export interface KrewManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly version: string;
    readonly shortDescription: string;
    readonly description: string;
    readonly caveats: string;
    readonly platforms: readonly {
      readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
      readonly uri: string;
      readonly sha256: string;
      readonly bin: string;
    }[];
  };
}

const machines = [
  "linux/386",
  "linux/amd64",
  "linux/arm",
  "linux/arm64",
  "darwin/amd64",
  "darwin/arm64",
  "windows/386",
  "windows/amd64",
];

/** `name` is that of the manifest's file. */
export function krewProblems(name: string, { apiVersion, kind, metadata, spec }: KrewManifest): readonly string[] {
  const found: string[] = [];
  const must = (holds: boolean, problem: string): void => void (holds || found.push(problem));
  must(apiVersion === "krew.googlecontainertools.github.com/v1alpha2", `apiVersion ${apiVersion} is not krew's`);
  must(kind === "Plugin", `kind ${kind} is not Plugin`);
  must(/^[\w-]+$/u.test(name), `${name} is no name of a plugin`);
  must(metadata.name === name, `it is not named ${name}`);
  must(/^v\d+\.\d+\.\d+(?:-[\w.-]+)?$/u.test(spec.version), `version ${spec.version} is not a v and a semantic version`);
  must(/^[^\r\n]+$/u.test(spec.shortDescription), "a short description is one line");
  must(spec.shortDescription.length <= 70, "the short description has more than 70 characters");
  for (const line of [...spec.description.split("\n"), ...spec.caveats.split("\n")])
    must(line.length <= 80, `a line has more than 80 characters: ${line}`);
  must(spec.platforms.length > 0, "there is no platform");
  for (const { uri, sha256, bin, selector } of spec.platforms) {
    must(URL.canParse(uri), `uri ${uri} is no address`);
    must(/^[a-f0-9]{64}$/u.test(sha256), `sha256 ${sha256} is none`);
    must(bin !== "", "a platform has no bin");
    const keys = Object.keys(selector.matchLabels);
    must(keys.length > 0 && keys.every((key) => key === "os" || key === "arch"), `a selector has keys ${keys.join()}`);
    must(
      machines.some((machine) => selects(selector.matchLabels, machine)),
      `${JSON.stringify(selector)} selects no machine`,
    );
  }
  for (const machine of machines) {
    const chosen = spec.platforms.filter(({ selector }) => selects(selector.matchLabels, machine));
    must(chosen.length < 2, `two platforms are for ${machine}`);
  }
  return found;
}

function selects({ os, arch }: Readonly<Record<string, string>>, machine: string): boolean {
  const [ownOs, ownArch] = machine.split("/");
  return (os ?? ownOs) === ownOs && (arch ?? ownArch) === ownArch;
}
