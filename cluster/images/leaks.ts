/** What must be in no image, whoever builds it, and whatever machine it is built on. */

import { readFile } from "node:fs/promises";
import { run } from "../stack/command.ts";

/** A layer's files by name, and its bytes, one character each. */
export type LayerContent = { readonly names: readonly string[]; readonly bytes: string };

export async function layerContent(archive: string): Promise<LayerContent> {
  return { names: (await run("tar", ["--list", "--file", archive])).split("\n"), bytes: await readFile(archive, "latin1") };
}

/** Named by what they are: credentials of tools, keys, and what a shell or git keeps. */
const privateFile =
  /(^|\/)(\.npmrc|\.netrc|\.pgpass|\.env|\.git|\.ssh|\.aws|\.docker|\.\w*history|id_\w+|[^/]+\.(key|p12|pfx|jks))(\/|$)/u;

const contents: readonly (readonly [what: string, pattern: RegExp])[] = [
  // Behind the first line the key itself: programs that read keys hold that line alone.
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+(?:[\w-]+: [^\n]*\n|\s)*[A-Za-z0-9+/=]{48}/u],
  ["an npm token", /npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])|_authToken\s*=\s*\w/u],
  ["a password in an address", /:\/\/[\w.-]+:[^\s@/:${}"'`<>%\\]{3,64}@[a-z]/u],
];

/** Where user passwords are stored: an account has none, or one that nothing matches. */
const openAccount = /(?:^|\n)([a-z_][\w-]*):(?![*!])[^:\n]*:\d+:\d*:\d+:\d+:::/u;

/** What of it a layer holds. `machine`: strings that only the building machine knows, such as the folder of the sources. */
export function leaksIn({ names, bytes }: LayerContent, machine: readonly string[]): readonly string[] {
  return [
    ...names.filter((name) => privateFile.test(name)).map((name) => `the file ${name}`),
    ...contents.filter(([, pattern]) => pattern.test(bytes)).map(([what]) => what),
    ...(openAccount.test(bytes) ? ["an account with a password"] : []),
    ...machine.flatMap((known, at) => (bytes.includes(known) ? [`string ${at + 1} of the building machine`] : [])),
  ];
}

/** Values of variables that hold credentials by their name; short ones are in any program. */
export function credentialsOf(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(environment).flatMap(([name, value = ""]) =>
    /TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|AUTH/iu.test(name) && value.length >= 8 ? [value] : [],
  );
}
