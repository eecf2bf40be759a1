import { defineKind, type ObjectOf } from "../kind.ts";
import { planning, planResult } from "./plan-fields.ts";
import {
  actionScript,
  common,
  immutableSpec,
  misplacedSnapshotRef,
  previousRetention,
  rewindSnapshotRef,
  vdbRef,
} from "./spec-fields.ts";
import { actionColumns, actionStatus, rewindPhases, snapshotResult } from "./status-fields.ts";

/** Back to an older state of the same database. */
export const vdbRewind = defineKind({
  group: "actions.delphix.com",
  version: "v1alpha1",
  kind: "VDBRewind",
  plural: "vdbrewinds",
  shortNames: ["vdbrw"],
  description: "Takes a database back to its latest snapshot, to a named one, or to the data before its last refresh or rewind.",
  spec: {
    type: "object",
    description: "Which database goes back to which state.",
    required: ["vdbRef"],
    properties: { vdbRef, snapshotRef: rewindSnapshotRef, previousRetention, ...planning, ...common },
    rules: [immutableSpec],
  },
  status: actionStatus(rewindPhases, { ...snapshotResult, ...planResult }),
  columns: actionColumns,
  ...misplacedSnapshotRef,
});
export type VDBRewind = ObjectOf<typeof vdbRewind>;

/** Back to an older state, with PostgreSQL's own care around it. */
export const postgresRewind = defineKind({
  group: "actions.delphix.com",
  version: "v1alpha1",
  kind: "PostgresRewind",
  plural: "postgresrewinds",
  shortNames: ["pgrewind"],
  description:
    "Rewinds a PostgreSQL database step by step: hooks, stop, older data, start, hooks, and a check that the database runs in its mode.",
  spec: {
    type: "object",
    description: "Which database goes back to which state, and what runs before and after.",
    required: ["vdbRef"],
    properties: {
      vdbRef,
      snapshotRef: rewindSnapshotRef,
      preRewind: actionScript("Runs before the rewind, after the database's own pre-rewind hooks."),
      postRewind: actionScript("Runs after the rewind, before the database's own post-rewind hooks, behind the shut gate."),
      previousRetention,
      ...planning,
      ...common,
    },
    rules: [immutableSpec],
  },
  status: actionStatus(rewindPhases, { ...snapshotResult, ...planResult }),
  columns: actionColumns,
  ...misplacedSnapshotRef,
});
export type PostgresRewind = ObjectOf<typeof postgresRewind>;
