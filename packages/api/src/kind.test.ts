import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { PostgresTask, PostgresVDB, RewindSnapshotRef } from "./index.ts";
import { kinds } from "./index.ts";

type Same<A, B> = [A, B] extends [B, A] ? true : false;

test("types follow the declaration: defaults are always there, the rest may be missing", () => {
  const rows: readonly [
    Same<PostgresVDB["spec"]["port"], number>,
    Same<PostgresVDB["spec"]["mode"], "Primary" | "Standby">,
    Same<PostgresVDB["spec"]["image"], string | undefined>,
    Same<PostgresVDB["kind"], "PostgresVDB">,
    Same<PostgresTask["spec"]["type"], "sql" | "command">,
    Same<RewindSnapshotRef["type"], "dct-snapshot" | "dct-bookmark" | "volume-snapshot" | "timestamp" | "previous">,
    Same<NonNullable<PostgresVDB["spec"]["postgresConfig"]>[number], { readonly name: string; readonly value: string }>,
  ] = [true, true, true, true, true, true, true]; // the compiler is the test: a row that does not hold has the type false
  equal(rows.every(Boolean), true);
});

test("the nine kinds, one core and eight actions", () => {
  deepEqual(
    kinds.map(({ plural, group }) => `${plural}.${group}`),
    [
      "postgresvdbs.core.delphix.com",
      "vdbsnapshots.actions.delphix.com",
      "vdbrefreshes.actions.delphix.com",
      "vdbrewinds.actions.delphix.com",
      "tasks.actions.delphix.com",
      "postgressnapshots.actions.delphix.com",
      "postgresrefreshes.actions.delphix.com",
      "postgresrewinds.actions.delphix.com",
      "postgrestasks.actions.delphix.com",
    ],
  );
});
