import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import type { DatabaseTold } from "../../postgres/databases-told.ts";
import { databasesNotes, outside, switchedOff } from "./databases-notes.ts";
import { hygieneOf } from "./hygiene.ts";

const told = (changes: Partial<DatabaseTold>): DatabaseTold => ({
  database: "orders",
  jobs: [],
  jobsRun: false,
  subscriptions: [],
  eventTriggers: [],
  servers: [],
  dblink: [],
  databaseCollation: [],
  collations: [],
  ...changes,
});
const found = <T>(all: readonly (T | undefined)[]): readonly T[] => all.filter((one) => one !== undefined);

test("outside: a socket and the loopback lead back into the copy", () => {
  deepEqual(outside(["localhost", "127.0.0.1", "::1", "[::1]", "/var/run/postgresql", "", "db1,localhost,db2"]), ["db1", "db2"]);
});

test("databasesNotes: nothing where nothing leads outside", () => {
  const near = { name: "near", wrapper: "postgres_fdw", hosts: ["localhost"], mappings: ["app"] };
  deepEqual(found(databasesNotes([told({ servers: [near], dblink: [{ name: "f()", hosts: ["127.0.0.1"] }] })], [])), []);
});

test("switchedOff: what acts is told only where the manifest keeps it, and jobs only where pg_cron runs", () => {
  const actor = [{ name: "nightly", acts: true }];
  const acting = told({ eventTriggers: actor, jobs: actor, jobsRun: true });
  const kept = { subscriptions: "Disable", eventTriggers: "Keep", cronJobs: "Keep" } as const;
  deepEqual(found(switchedOff([acting], undefined)), []);
  deepEqual(found(switchedOff([acting], kept)), [
    "not event triggers (spec.hygiene keeps them): nightly in database orders",
    "not jobs of pg_cron (spec.hygiene keeps them): nightly in database orders",
  ]);
  equal(found(switchedOff([{ ...acting, jobsRun: false }], kept)).length, 1);
});

test("hygieneOf: what a person has to look at comes first; the message is one line and does not grow without end", () => {
  const servers = Array.from({ length: 100 }, (_, n) => ({
    name: `s${n}\n`,
    wrapper: "w",
    hosts: ["h".repeat(90)],
    mappings: [],
  }));
  const databases = Array.from({ length: 100 }, () => told({ servers, eventTriggers: [{ name: "e", acts: false }] }));
  const { reason, message } = hygieneOf([], switchedOff(databases, undefined), databasesNotes(databases, []));
  equal(reason, "NeedsAttention");
  match(message, /^foreign servers lead to hosts outside: s0 {2}\(host h+\) in database orders, /u);
  equal(message.includes("\n"), false);
  equal(message.length <= 4001, true, String(message.length));
});
