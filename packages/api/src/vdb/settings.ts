import { schema, type TypeOf } from "../schema.ts";

/**
 * Settings that decide where the server listens, what it reads and what it runs, and some by which a copy would reach back to its
 * source, wait for a standby that it has not, or lock the operator out: the operator sets them, a manifest must not.
 */
export const reservedSettings = [
  "port",
  "listen_addresses",
  "unix_socket_directories",
  "data_directory",
  "config_file",
  "hba_file",
  "ident_file",
  "external_pid_file",
  "include",
  "include_if_exists",
  "include_dir",
  "archive_mode",
  "archive_command",
  "archive_library",
  "restore_command",
  "archive_cleanup_command",
  "recovery_end_command",
  "primary_conninfo",
  "primary_slot_name",
  "promote_trigger_file",
  "ssl_passphrase_command",
  "max_logical_replication_workers",
  "synchronous_standby_names",
  "unix_socket_group",
  "unix_socket_permissions",
] as const;

const reservedList = reservedSettings.map((name) => `'${name}'`).join(", ");

export const postgresConfig = schema({
  type: "array",
  description:
    "Settings of PostgreSQL, each name once. They win over those that came with the source's data; a changed list restarts or reloads the server as the setting needs.",
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
        rules: [
          {
            rule: `!(self.lowerAscii() in [${reservedList}])`,
            messageExpression:
              "self.lowerAscii() == 'port' ? 'is set by spec.port: write it there, for example port: 5493'" +
              " : self + ' is set by the operator: leave this entry out'",
            message: "is set by the operator: leave this entry out",
          },
        ],
      },
      value: {
        type: "string",
        description: 'The value without quotes around it, always as a string, for example "256MB" or "100".',
        maxLength: 1024,
        pattern: "^[^\\x00-\\x1f\\x7f'\\\\]*$",
        allowed: "one line without single quotes, backslashes and control characters (no quotes around it are needed)",
        example: "256MB",
      },
    },
  },
  rules: [
    {
      rule: "self.all(a, self.exists_one(b, a.name.lowerAscii() == b.name.lowerAscii()))",
      message:
        "must name each setting once, upper and lower case being the same, for example shared_buffers and not also Shared_Buffers",
    },
  ],
});
export type PostgresSetting = TypeOf<typeof postgresConfig>[number];
