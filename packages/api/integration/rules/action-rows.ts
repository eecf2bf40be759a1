import type { Kind } from "../../src/index.ts";
import { limitRows, type RuleRow } from "./rows.ts";

const { whole, text, script, database } = limitRows;
const label = "lower-case letters, digits and '-', beginning and ending with a letter or digit";

/** The rules that an action's spec has, by the fields that it has. */
export function actionRows({ spec: { properties } }: Kind): readonly RuleRow[] {
  const has = (name: string): boolean => Object.hasOwn(properties, name);
  return [
    ...(has("vdbRef") ? references("spec.vdbRef") : references("spec.targetRef")),
    ...whole("spec.deadlineSeconds", 1, 604_800, 3600),
    ...whole("spec.ttlSecondsAfterFinished", 0, 31_536_000, 86_400),
    ...(has("previousRetention") ? retention : []),
    ...(has("snapshotRef") ? snapshotRefRows("spec.snapshotRef") : []),
    ...(has("bookmarkName") ? bookmark : []),
    ...(has("planRef") ? planReference : []),
    ...["preSnapshot", "postSnapshot", "preRefresh", "postRefresh", "preRewind", "postRewind"]
      .filter(has)
      .flatMap((name) => scripts(`spec.${name}`)),
    ...(has("preRefresh") || has("preRewind")
      ? [...database(`spec.${has("preRefresh") ? "preRefresh" : "preRewind"}.database`)]
      : []),
    ...(has("preRefresh") || has("preRewind")
      ? [...database(`spec.${has("postRefresh") ? "postRefresh" : "postRewind"}.database`)]
      : []),
    ...(has("content") ? task : []),
  ];
}

const references = (field: string): RuleRow[] => [
  ...text(`${field}.name`, ["", "Orders", "a.b"], `must be a PostgresVDB's name: ${label}, for example my-postgres-vdb`, [
    "o",
    "o".repeat(63),
  ]),
  ...text(`${field}.namespace`, ["", "Prod", "a.b"], `must be ${label}, for example pg-operator`, ["p", "p".repeat(63)]),
];

const retention = text(
  "spec.previousRetention",
  ["", "1d", "8760h1s", "-1h"],
  "must be a duration in h, m, s or ms, from 0s to 8760h, for example 24h",
  ["0s", "8760h", "1h30m"],
);

const planReference = text(
  "spec.planRef.name",
  ["", "My-Plan", "a/b"],
  "must be an action's name: lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit, for example my-plan",
  ["p", "orders-plan-1.2"],
);

const bookmark = text(
  "spec.bookmarkName",
  ["", "it's", 'say "now"', "a\\b", "two\nlines"],
  "must be 1 to 253 characters without quotes, backslashes and control characters, for example before-release",
  ["b", "Before the migration", "ü".repeat(253)],
);

const scripts = (field: string): RuleRow[] => [
  ...script(`${field}.content`),
  ...whole(`${field}.timeoutSeconds`, 1, 86_400, 300).map((row) => ({ ...row, given: { [`${field}.content`]: "SELECT 1" } })),
];

const task: readonly RuleRow[] = [
  ...script("spec.content"),
  ...database("spec.database"),
  ...whole("spec.timeoutSeconds", 1, 86_400, 300),
  ...whole("spec.retryPolicy.maxRetries", 0, 100, 3),
  ...whole("spec.retryPolicy.delay", 0, 86_400, 10),
];

const snapshot = (type: string, name?: string): object => (name === undefined ? { type } : { type, name });
export const snapshotRefRows = (field: string): readonly RuleRow[] => [
  {
    field,
    at: `${field}.name`,
    refused: snapshot("dct-bookmark"),
    message: "name the snapshot, for example 1-APPDATA_SNAPSHOT-1029; leave snapshotRef out for the latest snapshot",
    accepted: [snapshot("dct-bookmark", "b"), undefined],
  },
  {
    field,
    at: `${field}.name`,
    refused: snapshot("dct-snapshot", ""),
    message: "must be the snapshot's name, for example 1-APPDATA_SNAPSHOT-1029",
    accepted: [snapshot("dct-snapshot", "1-APPDATA_SNAPSHOT-1029"), snapshot("dct-bookmark", "Before the migration")],
  },
  {
    field,
    at: `${field}.name`,
    refused: snapshot("volume-snapshot", "staging/monday"),
    message:
      "for type volume-snapshot it must be a VolumeSnapshot's name: lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit, for example my-volume-snapshot-name",
    accepted: [snapshot("volume-snapshot", "monday.1")],
  },
  ...["yesterday", "2026-01-31", "2026-02-30T12:00:00Z", "2026-01-31T12:00:00", "2026-01-31T25:00:00Z"].map((moment) => ({
    field,
    at: `${field}.name`,
    refused: snapshot("timestamp", moment),
    message: "for type timestamp it must be a moment by RFC 3339, for example 2026-01-31T12:00:00Z",
    accepted: [snapshot("timestamp", "2026-01-31T12:00:00Z"), snapshot("timestamp", "2024-02-29T23:59:59.123456789+05:30")],
  })),
];

/** Rewinds alone. */
export const rewindRows: readonly RuleRow[] = [
  {
    field: "spec.snapshotRef",
    at: "spec.snapshotRef.name",
    refused: snapshot("previous", "monday"),
    message: "type previous needs no name: leave it out, for example snapshotRef: {type: previous}",
    accepted: [snapshot("previous")],
  },
];

/** Refreshes and rewinds: the specification's own example has it in the wrong place. */
export const misplacedRows: readonly RuleRow[] = [
  {
    field: "snapshotRef",
    refused: snapshot("dct-snapshot", "1-APPDATA_SNAPSHOT-1029"),
    message: "put snapshotRef under spec: spec.snapshotRef: {type: dct-snapshot, name: 1-APPDATA_SNAPSHOT-1029}",
    accepted: [undefined],
  },
];

export const actionUpdateRows: readonly RuleRow[] = [
  {
    field: "spec.deadlineSeconds",
    at: "spec",
    refused: 7,
    message: "is immutable: apply a new action under another name, for example <name>-2",
    accepted: [],
  },
];
