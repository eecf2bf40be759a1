import { stringify } from "yaml";

/** One part of a report; `hidden`: why it could not be had. */
export interface Part {
  readonly title: string;
  readonly text: string;
}

/** Texts that people write and that may have secrets or data in them: their length is told. */
const lengthOnly: ReadonlySet<string> = new Set(["script", "content", "output", "password"]);
/** Long, and of no use to a reader; the first repeats the manifest as it was applied, with its password. */
const leftOut: ReadonlySet<string> = new Set(["kubectl.kubernetes.io/last-applied-configuration", "managedFields"]);

/** Pure: an object without what a stranger must not read. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !leftOut.has(key))
      .map(([key, inner]: [string, unknown]) =>
        lengthOnly.has(key) && typeof inner === "string" ? [key, `(${inner.length} characters)`] : [key, withoutSecrets(inner)],
      ),
  );
}

/** Statements of a log, and addresses in it, in which somebody gives a password. */
const given = /((?:password|passwd|pwd|secret|token|apikey|api_key)["']?\s*(?:=|:|\s)\s*)('(?:[^']|'')*'|"[^"]*"|[^\s,;&)]+)/giu;
const inAddress = /(\w+:\/\/[^\s:/@]+:)[^\s@]+@/gu;

/** Pure: a log without passwords, known ones and such as are called one. */
export function logWithoutSecrets(text: string, known: readonly string[] = []): string {
  const told = known.filter((one) => one !== "").reduce((left, one) => left.replaceAll(one, "(redacted)"), text);
  return told.replaceAll(given, "$1(redacted)").replaceAll(inAddress, "$1(redacted)@");
}

export const yamlOf = (objects: readonly unknown[]): string =>
  objects.map((object) => stringify(withoutSecrets(object), { lineWidth: 0 })).join("---\n");

/** Pure: the report, one part after the other. */
export const reportOf = (parts: readonly Part[]): string =>
  parts.map(({ title, text }) => `==== ${title}\n${text.replace(/\n*$/u, "")}\n\n`).join("");
