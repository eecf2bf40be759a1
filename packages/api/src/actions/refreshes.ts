import { defineKind, type ObjectOf } from "../kind.ts";
import { planning, planResult } from "./plan-fields.ts";
import {
  actionScript,
  common,
  immutableSpec,
  misplacedSnapshotRef,
  previousRetention,
  refreshSnapshotRef,
  vdbRef,
} from "./spec-fields.ts";
import { actionColumns, actionStatus, refreshPhases, snapshotResult } from "./status-fields.ts";

/** New data for a database. */
export const vdbRefresh = defineKind({
  group: "actions.delphix.com",
  version: "v1alpha1",
  kind: "VDBRefresh",
  plural: "vdbrefreshes",
  shortNames: ["vdbrf"],
  description: "Gives a database the data of its source's latest snapshot, or of a named one.",
  spec: {
    type: "object",
    description: "Which database gets which data.",
    required: ["vdbRef"],
    properties: { vdbRef, snapshotRef: refreshSnapshotRef, previousRetention, ...planning, ...common },
    rules: [immutableSpec],
  },
  status: actionStatus(refreshPhases, { ...snapshotResult, ...planResult }),
  columns: actionColumns,
  ...misplacedSnapshotRef,
});
export type VDBRefresh = ObjectOf<typeof vdbRefresh>;

/** New data for a database, with PostgreSQL's own care around it. */
export const postgresRefresh = defineKind({
  group: "actions.delphix.com",
  version: "v1alpha1",
  kind: "PostgresRefresh",
  plural: "postgresrefreshes",
  shortNames: ["pgrefresh"],
  description:
    "Refreshes a PostgreSQL database step by step: hooks, stop, new data, start, hooks, and a check that the database runs in its mode.",
  spec: {
    type: "object",
    description: "Which database gets which data, and what runs before and after.",
    required: ["vdbRef"],
    properties: {
      vdbRef,
      snapshotRef: refreshSnapshotRef,
      preRefresh: actionScript("Runs before the refresh, after the database's own pre-refresh hooks."),
      postRefresh: actionScript("Runs after the refresh, before the database's own post-refresh hooks, behind the shut gate."),
      previousRetention,
      ...planning,
      ...common,
    },
    rules: [immutableSpec],
  },
  status: actionStatus(refreshPhases, { ...snapshotResult, ...planResult }),
  columns: actionColumns,
  ...misplacedSnapshotRef,
});
export type PostgresRefresh = ObjectOf<typeof postgresRefresh>;
