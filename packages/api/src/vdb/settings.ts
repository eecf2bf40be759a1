import { type Rule, schema, type TypeOf } from "../schema.ts";
import type { PostgresVDBSpec } from "./spec.ts";

/**
 * Settings that decide where the server listens, what it reads and what it runs, and some by which a copy would reach back to its
 * source, wait for a standby that it does not have, or lock the operator out: the operator sets them, a manifest must not.
 * With each the values, in lower case, that hold whatever the manifest says: the operator accepts them and leaves them out.
 */
const reserved = {
  port: [], // spec.port says it
  listen_addresses: ["*"],
  unix_socket_directories: ["/var/run/postgresql"],
  data_directory: [], // spec.mountPath says it
  config_file: [],
  hba_file: [],
  ident_file: [],
  external_pid_file: [""],
  include: [],
  include_if_exists: [],
  include_dir: [],
  archive_mode: ["off", "false", "no", "0"],
  archive_command: [""],
  archive_library: [""],
  restore_command: [""],
  archive_cleanup_command: [""],
  recovery_end_command: [""],
  primary_conninfo: [""],
  primary_slot_name: [""],
  promote_trigger_file: [""],
  ssl_passphrase_command: [""],
  max_logical_replication_workers: ["0"],
  synchronous_standby_names: [""],
  unix_socket_group: [""],
  unix_socket_permissions: ["0777", "511"],
};
const holding: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(reserved));
/** Their names, in lower case. */
export const reservedSettings: readonly string[] = Object.keys(reserved);

/** One pair of single quotes around the whole value means the value inside: another build writes values raw, and needs them. */
export const valueOfSetting = (value: string): string => /^'([^']*)'$/u.exec(value)?.[1] ?? value;

/** Whether a setting of the operator's is given as it is in any case. The name in any letter case. */
export function holdsAnyway(
  name: string,
  value: string,
  { port, mountPath }: Pick<PostgresVDBSpec, "port" | "mountPath">,
): boolean {
  const given = valueOfSetting(value).trim();
  const setting = name.toLowerCase();
  if (setting === "port") return given === String(port);
  if (setting === "data_directory") return given === `${mountPath}/data`;
  return holding.get(setting)?.includes(given.toLowerCase()) === true;
}

/** CEL, on one entry. */
const given = "self.value.replace(\"'\", '').trim()";
const texts = (all: readonly string[]): string => all.map((text) => `'${text}'`).join(", ");
const holdingPairs = [...holding].flatMap(([name, values]) => values.map((value) => `${name}=${value}`));
/** These two are what other fields of the spec say: the rules that compare them stand there. */
const saidElsewhere = ["port", "data_directory"];

/** Rules of the spec, where its other fields are seen. */
export const settingsOfSpec: readonly Rule[] = (
  [
    ["port", "string(self.port)", "spec.port sets the port: write it there, for example port: 5493"],
    ["data_directory", "self.mountPath + '/data'", "the data directory is spec.mountPath + /data: leave this entry out"],
  ] as const
).map(([name, value, message]) => ({
  rule: `!has(self.postgresConfig) || self.postgresConfig.all(one, one.name.lowerAscii() != '${name}' || one.value.replace("'", '').trim() == ${value})`,
  fieldPath: ".postgresConfig",
  message,
}));

export const postgresConfig = schema({
  type: "array",
  description:
    "Settings of PostgreSQL, each name once. They win over the source's settings. A change reloads the server, or restarts it where the setting needs that.",
  listType: "map",
  mapKeys: ["name"],
  maxItems: 100,
  items: {
    type: "object",
    description: "One setting.",
    required: ["name", "value"],
    properties: {
      name: {
        type: "string",
        description: "The setting's name as PostgreSQL knows it, for example shared_buffers.",
        maxLength: 63,
        pattern: "^[A-Za-z_][A-Za-z0-9_$]*([.][A-Za-z_][A-Za-z0-9_$]*)?$",
        allowed: "a setting's name: letters, digits and '_', with one '.' for an extension's",
        example: "shared_buffers",
      },
      value: {
        type: "string",
        description:
          'The value, always as a string, for example "256MB" or "100". It needs no quotes of its own; the operator removes one pair of single quotes around it.',
        maxLength: 1024,
        pattern: "^([^\\x00-\\x1f\\x7f'\\\\]*|'[^\\x00-\\x1f\\x7f'\\\\]*')$",
        allowed: "one line without single quotes inside, backslashes and control characters (no quotes around it are needed)",
        example: "256MB",
      },
    },
    rules: [
      {
        rule:
          `!(self.name.lowerAscii() in [${texts(reservedSettings.filter((name) => !saidElsewhere.includes(name)))}])` +
          ` || (self.name.lowerAscii() + '=' + ${given}.lowerAscii()) in [${texts(holdingPairs)}]`,
        fieldPath: ".name",
        messageExpression: "self.name + ' is set by the operator: leave this entry out'",
        message: "is set by the operator: leave this entry out",
      },
    ],
  },
  rules: [
    {
      rule: "self.all(a, self.exists_one(b, a.name.lowerAscii() == b.name.lowerAscii()))",
      message:
        "must name each setting once: upper and lower case are the same, so shared_buffers and Shared_Buffers are one setting",
    },
  ],
});
export type PostgresSetting = TypeOf<typeof postgresConfig>[number];
