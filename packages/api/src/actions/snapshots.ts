import { defineKind, type ObjectOf } from "../kind.ts";
import { schema } from "../schema.ts";
import { planning, planResult } from "./plan-fields.ts";
import { common, immutableSpec, sessionScript, vdbRef } from "./spec-fields.ts";
import { actionColumns, actionStatus, lsnResult, snapshotPhases, snapshotResult } from "./status-fields.ts";

const bookmarkName = schema({
  type: "string",
  description:
    "The name of a DCT bookmark to make of the snapshot, for refreshes and rewinds by snapshotRef.type dct-bookmark. Left out: none. It stays when the action is deleted.",
  maxLength: 253,
  pattern: "^[^\\x00-\\x1f\\x7f\"'\\\\]+$",
  allowed: "1 to 253 characters without quotes, backslashes and control characters",
  example: "before-release",
});

/** A snapshot of the volume. */
export const vdbSnapshot = defineKind({
  group: "actions.delphix.com",
  version: "v1alpha1",
  kind: "VDBSnapshot",
  plural: "vdbsnapshots",
  shortNames: ["vdbsnap"],
  description: "Takes a snapshot of a database's volume: fast, and consistent as after a crash.",
  spec: {
    type: "object",
    description: "What to take a snapshot of.",
    required: ["vdbRef"],
    properties: { vdbRef, bookmarkName, ...planning, ...common },
    rules: [immutableSpec],
  },
  status: actionStatus(snapshotPhases, { ...snapshotResult, ...planResult }),
  columns: actionColumns,
});
export type VDBSnapshot = ObjectOf<typeof vdbSnapshot>;

/** A snapshot inside one backup session of PostgreSQL. */
export const postgresSnapshot = defineKind({
  group: "actions.delphix.com",
  version: "v1alpha1",
  kind: "PostgresSnapshot",
  plural: "postgressnapshots",
  shortNames: ["pgsnap"],
  description:
    "Takes a snapshot of a database inside one backup session of PostgreSQL, and records its position in the write-ahead log.",
  spec: {
    type: "object",
    description: "What to take a snapshot of, and how.",
    required: ["vdbRef"],
    properties: {
      vdbRef,
      autoCheckpoint: {
        type: "boolean",
        description:
          "Whether to checkpoint at once before the snapshot. false waits for a spread checkpoint, which can take minutes.",
        default: true,
      },
      captureLSN: {
        type: "boolean",
        description: "Whether to record begin and end LSN and the timeline in status.lsn.",
        default: true,
      },
      preSnapshot: sessionScript(
        "Runs in the backup session before the snapshot. pg_start_backup and pg_backup_start are translated for the server's version.",
      ),
      postSnapshot: sessionScript("Runs in the same session after the snapshot, also when the snapshot failed."),
      bookmarkName,
      ...planning,
      ...common,
    },
    rules: [immutableSpec],
  },
  status: actionStatus(snapshotPhases, { ...snapshotResult, ...lsnResult, ...planResult }),
  columns: actionColumns,
});
export type PostgresSnapshot = ObjectOf<typeof postgresSnapshot>;
