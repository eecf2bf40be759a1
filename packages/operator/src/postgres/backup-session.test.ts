import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { backupSession, positionIn, type SessionPlan } from "./backup-session.ts";

const plan = (more: Partial<SessionPlan>): SessionPlan => ({
  label: "snap",
  major: 16,
  fast: true,
  pre: undefined,
  post: undefined,
  folder: "/run/t",
  ...more,
});
const example = { pre: "SELECT pg_start_backup('pre-snapshot');", post: "SELECT pg_stop_backup();" };

const rows: {
  readonly name: string;
  readonly given: Partial<SessionPlan>;
  readonly want: readonly RegExp[];
  readonly replaced: number;
}[] = [
  {
    name: "the specification's example on 16",
    given: example,
    want: [/pg_backup_start\('pre-snapshot', true\)/u, /SELECT pg_backup_stop\(\);$/u],
    replaced: 2,
  },
  {
    name: "the same on 14",
    given: { ...example, major: 14 },
    want: [/pg_start_backup\('pre-snapshot', true, false\)/u, /pg_stop_backup\(false\);$/u],
    replaced: 2,
  },
  {
    name: "the new names on 13",
    given: { pre: "SELECT pg_backup_start('a(b', fast => false)", post: "select PG_BACKUP_STOP ()", major: 13 },
    want: [/pg_start_backup\('a\(b', true, false\)/u],
    replaced: 2,
  },
  {
    name: "SQL of its own kind",
    given: { pre: "SELECT pg_create_restore_point('x')", post: "SELECT 1" },
    want: [/restore_point\('x'\)\n;\nSELECT pg_backup_start\('snap', true\);/u, /SELECT pg_backup_stop\(\);\nSELECT 1$/u],
    replaced: 0,
  },
  { name: "none", given: { fast: false, label: "it's" }, want: [/pg_backup_start\('it''s', false\)/u], replaced: 0 },
];
for (const { name, given, want, replaced } of rows)
  test(`backupSession: ${name}`, () => {
    const made = backupSession(plan(given));
    for (const one of want) match(made.script, one);
    equal(made.replaced.length, replaced, made.replaced.join());
    equal(made.script.match(/pg_(start_backup|backup_start)\(/gu)?.length, 1);
    equal(made.script.match(/pg_(stop_backup|backup_stop)\(/gu)?.length, 1);
  });

test("positionIn reads what psql prints of the end", () => {
  const output = ' (0/2000138,"START WAL LOCATION: 0/2000028 (file 000000020000000000000002) +\n CHECKPOINT LOCATION: …';
  deepEqual(positionIn(output), { begin: "0/2000028", end: "0/2000138", timeline: 2 });
  equal(positionIn("nothing"), undefined);
});
