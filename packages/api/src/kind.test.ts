import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { PostgresTask, PostgresVDB, RewindSnapshotRef } from "./index.ts";
import { kinds } from "./index.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <const T extends true>(value: T): T => value;

test("types follow the declaration: defaults are always there, the rest may be missing", () => {
  holds<Same<PostgresVDB["spec"]["port"], number>>(true);
  holds<Same<PostgresVDB["spec"]["mode"], "Primary" | "Standby">>(true);
  holds<Same<PostgresVDB["spec"]["image"], string | undefined>>(true);
  holds<Same<PostgresVDB["kind"], "PostgresVDB">>(true);
  holds<Same<PostgresTask["spec"]["type"], "sql" | "command">>(true);
  holds<Same<RewindSnapshotRef["type"], "dct-snapshot" | "dct-bookmark" | "volume-snapshot" | "timestamp" | "previous">>(true);
  holds<Same<NonNullable<PostgresVDB["spec"]["postgresConfig"]>[number], { readonly name: string; readonly value: string }>>(
    true,
  );
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
