import { holdsAnyway, type PostgresVDBSpec, reservedSettings, valueOfSetting } from "@vdb/api";

/** A setting as a manifest gives it. */
export interface Setting {
  readonly name: string;
  readonly value: string;
}

export type SettingsFile =
  | {
      readonly ok: true;
      readonly lines: readonly string[];
      /** Names that were left out because they hold anyway, and those whose value was read without its quotes. */
      readonly leftOut: readonly string[];
      readonly unquoted: readonly string[];
    }
  | { readonly ok: false; readonly reason: "SettingRefused"; readonly message: string };

const grammar = /^[A-Za-z_][A-Za-z0-9_$]*(?:[.][A-Za-z_][A-Za-z0-9_$]*)?$/u;
/** Everything that could end the line, or that PostgreSQL's reader would take for an escape. */
// oxlint-disable-next-line eslint/no-control-regex -- control characters are what is looked for
const unsafe = /[\u0000-\u001f\u007f\u0085\u2028\u2029\\]/u;
const reserved: ReadonlySet<string> = new Set(reservedSettings);

/**
 * The lines of postgresql.conf for a manifest's settings. What the CRD refuses is refused here once more: an operator must not
 * trust that the CRD in the cluster is the one it was built with, and one bad line could start a second setting.
 */
export function settingsFile(settings: readonly Setting[], spec: Pick<PostgresVDBSpec, "port" | "mountPath">): SettingsFile {
  const seen = new Set<string>();
  const found = { lines: [] as string[], leftOut: [] as string[], unquoted: [] as string[] };
  for (const { name, value } of settings) {
    const isHeld = holdsAnyway(name, value, spec);
    const wrong = refusal(name, value, seen, isHeld);
    if (wrong !== undefined) return { ok: false, reason: "SettingRefused", message: `spec.postgresConfig: ${wrong}` };
    seen.add(name.toLowerCase());
    if (valueOfSetting(value) !== value) found.unquoted.push(name);
    if (isHeld) found.leftOut.push(name);
    else found.lines.push(settingLine(name, valueOfSetting(value)));
  }
  return { ok: true, ...found };
}

function refusal(name: string, value: string, seen: ReadonlySet<string>, isHeld: boolean): string | undefined {
  if (!grammar.test(name)) return `${JSON.stringify(name)} is not a setting's name`;
  if (reserved.has(name.toLowerCase()) && !isHeld) return `${name} is set by the operator: leave this entry out`;
  if (seen.has(name.toLowerCase())) return `${name} appears twice: keep one`;
  if (unsafe.test(value)) return `the value of ${name} must be one line without backslashes and control characters`;
  return undefined;
}

export const settingLine = (name: string, value: string): string => `${name} = '${value.replaceAll("'", "''")}'`;
