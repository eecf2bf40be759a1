import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { cleaningOf, isCleaned, settingsBeforeCleaning, waitForCleaning } from "./cleaning.ts";

const time = "2026-01-01T00:00:00Z";
const rows: { name: string; content: Parameters<typeof isCleaned>[0]; want: boolean }[] = [
  { name: "nothing is known of it", content: undefined, want: false },
  { name: "new data", content: { madeBy: "create" }, want: false },
  { name: "it was cleaned, and its hooks may have made things of their own", content: { cleanedTime: time }, want: true },
  { name: "clients were let in before, by an earlier operator", content: { openedTime: time }, want: true },
  { name: "a rewind to data that clients had used", content: { madeBy: "rewind", takenOpen: true }, want: true },
  { name: "a rewind to data that nobody has seen", content: { madeBy: "rewind", takenOpen: false }, want: false },
];
for (const { name, content, want } of rows) test(`isCleaned: ${name}`, () => equal(isCleaned(content), want));

test("cleaningOf: what would act is switched off unless the manifest keeps it", () => {
  deepEqual(cleaningOf(undefined), { eventTriggers: true, cronJobs: true, dropSubscriptions: false });
  const kept = { subscriptions: "Drop", eventTriggers: "Keep", cronJobs: "Keep" } as const;
  deepEqual(cleaningOf(kept), { eventTriggers: false, cronJobs: false, dropSubscriptions: true });
});

const withLibraries = (value: string) => ({ postgresConfig: [{ name: "Shared_Preload_Libraries", value }] });
const libraries: readonly (readonly [given: string, before: string])[] = [
  ["pg_cron", ""],
  ["'pg_stat_statements, pg_cron'", "pg_stat_statements"],
  ["$libdir/pg_cron,auto_explain", "auto_explain"],
  ["pg_stat_statements", "pg_stat_statements"],
];
for (const [given, before] of libraries)
  test(`settingsBeforeCleaning: ${given}`, () => {
    equal(settingsBeforeCleaning(withLibraries(given))[0]?.value, before);
    equal(waitForCleaning(withLibraries(given)), given !== before);
  });

test("settingsBeforeCleaning: jobs that are kept run from the first start", () => {
  const hygiene = { subscriptions: "Disable", eventTriggers: "Disable", cronJobs: "Keep" } as const;
  equal(waitForCleaning({ ...withLibraries("pg_cron"), hygiene }), false);
});
