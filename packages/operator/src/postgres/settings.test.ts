import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { settingsFile as fileOf } from "./settings.ts";

const settingsFile = (settings: Parameters<typeof fileOf>[0]) => fileOf(settings, { port: 5493, mountPath: "/mnt/postgres" });

const rows: { name: string; why: string; given: Parameters<typeof settingsFile>[0]; want: ReturnType<typeof settingsFile> }[] = [
  {
    name: "ordinary settings",
    why: "they come in the order of the manifest",
    given: [
      { name: "shared_buffers", value: "256MB" },
      { name: "my_extension.mode", value: "it's on" },
    ],
    want: { ok: true, lines: ["shared_buffers = '256MB'", "my_extension.mode = 'it''s on'"], leftOut: [], unquoted: [] },
  },
  {
    name: "values in quotes of their own",
    why: "the vendor's build writes values raw, and its users' manifests have the quotes that this needs",
    given: [
      { name: "shared_buffers", value: "'256MB'" },
      { name: "search_path", value: "'\"$user\", public'" },
      { name: "my_extension.text", value: "'it''s'" },
    ],
    want: {
      ok: true,
      lines: ["shared_buffers = '256MB'", "search_path = '\"$user\", public'", "my_extension.text = '''it''''s'''"],
      leftOut: [],
      unquoted: ["shared_buffers", "search_path"],
    },
  },
  {
    name: "the operator's own, as they are anyway",
    why: "they change nothing",
    given: [
      { name: "listen_addresses", value: "'*'" },
      { name: "PORT", value: "5493" },
      { name: "data_directory", value: "/mnt/postgres/data" },
      { name: "archive_mode", value: "OFF" },
      { name: "archive_command", value: "" },
    ],
    want: {
      ok: true,
      lines: [],
      leftOut: ["listen_addresses", "PORT", "data_directory", "archive_mode", "archive_command"],
      unquoted: ["listen_addresses"],
    },
  },
  {
    name: "the operator's own, otherwise",
    why: "what differs is refused",
    given: [{ name: "port", value: "5432" }],
    want: refused("port is set by the operator: leave this entry out"),
  },
  {
    name: "a second line",
    why: "a value must never start another setting",
    given: [{ name: "work_mem", value: "4MB'\narchive_command = 'rm" }],
    want: refused("the value of work_mem must be one line without backslashes and control characters"),
  },
  {
    name: "an escape",
    why: "PostgreSQL reads backslash sequences inside quotes",
    given: [{ name: "work_mem", value: "4MB\\" }],
    want: refused("the value of work_mem must be one line without backslashes and control characters"),
  },
  {
    name: "a name that is none",
    why: "a name must not carry a value, a comment or an include",
    given: [{ name: "work_mem = 1 #", value: "x" }],
    want: refused('"work_mem = 1 #" is not a setting\'s name'),
  },
  {
    name: "a setting of the operator, in capitals",
    why: "PostgreSQL does not tell case apart",
    given: [{ name: "HBA_FILE", value: "/tmp/open" }],
    want: refused("HBA_FILE is set by the operator: leave this entry out"),
  },
  {
    name: "the same setting twice",
    why: "the last would win in silence",
    given: [
      { name: "work_mem", value: "1MB" },
      { name: "Work_Mem", value: "2MB" },
    ],
    want: refused("Work_Mem appears twice: keep one"),
  },
];

function refused(message: string): ReturnType<typeof settingsFile> {
  return { ok: false, reason: "SettingRefused", message: `spec.postgresConfig: ${message}` };
}

for (const name of [
  "max_logical_replication_workers", // a copy's subscriptions would connect to production
  "synchronous_standby_names", // it would wait for a standby that it has not
  "unix_socket_permissions", // the operator comes by the socket
  "unix_socket_group",
])
  test(`settingsFile: ${name} is the operator's`, () => equal(settingsFile([{ name, value: "0700" }]).ok, false));

for (const { name, why, given, want } of rows) test(`settingsFile: ${name}`, () => deepEqual(settingsFile(given), want, why));

/** How PostgreSQL reads a quoted value: the part of its rules that we rely on. */
const readBack = (line: string): string => line.slice(line.indexOf("'") + 1, -1).replaceAll("''", "'");

test("whatever the value, it is read back unchanged from one line, or refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      const file = settingsFile([{ name: "work_mem", value }]);
      if (!file.ok) return;
      equal(file.lines.length, 1);
      equal(/[\r\n]/u.test(file.lines[0] ?? ""), false);
      equal(readBack(file.lines[0] ?? ""), /^'([^']*)'$/u.exec(value)?.[1] ?? value);
    }),
  );
});
