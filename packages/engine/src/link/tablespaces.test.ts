import { equal } from "node:assert/strict";
import { test } from "node:test";
import { tablespacesAre } from "./tablespaces.ts";

const data = "/pool/work/7/data";
/** As pg_basebackup 16 says it. */
const rows: readonly (readonly [words: string, want: boolean])[] = [
  ['pg_basebackup: error: could not create directory "/srv/space": Read-only file system', true],
  ['pg_basebackup: error: could not create directory "/srv/space": Permission denied', true],
  ['pg_basebackup: error: directory "/srv/space" exists but is not empty', true],
  ['pg_basebackup: error: could not access directory "/srv/space": Permission denied', true],
  ['pg_basebackup: error: could not create file "/srv/space/PG_16_202307071/5/1": Read-only file system', true],
  [`pg_basebackup: error: could not create file "${data}/base/1/2": No space left on device`, false],
  [`pg_basebackup: error: directory "${data}" exists but is not empty`, false],
  ['pg_basebackup: error: connection to server on socket "/tmp/.s.PGSQL.5432" failed', false],
  ['root certificate file "/pool/work/7/root.crt" does not exist', false],
];
for (const [words, want] of rows)
  test(`${want ? "a tablespace" : "something else"}: ${words}`, () => equal(tablespacesAre(words, data), want));
