import { durationField } from "../fields/duration.ts";
import { isMoment } from "../fields/moment.ts";
import { dnsLabel, dnsLabelWords, dnsSubdomain, dnsSubdomainWords, labelLength, subdomainLength } from "../fields/names.ts";
import { databaseName, scriptText, scriptType, timeoutSeconds } from "../fields/script.ts";
import { type Rule, schema, type TypeOf } from "../schema.ts";

/** Every action is one piece of work: its spec never changes, another try is another object. */
export const immutableSpec: Rule = {
  rule: "self == oldSelf",
  message: "is immutable: apply a new action under another name, for example <name>-2",
};

const vdbReference = <const D extends string>(description: D) =>
  schema({
    type: "object",
    description,
    required: ["name"],
    properties: {
      kind: {
        type: "string",
        description: "The kind of the database; PostgresVDB is the only one.",
        enum: ["PostgresVDB"],
        default: "PostgresVDB",
      },
      name: {
        type: "string",
        description: "The name of the PostgresVDB.",
        maxLength: labelLength,
        pattern: dnsLabel,
        allowed: `a PostgresVDB's name: ${dnsLabelWords}`,
        example: "my-postgres-vdb",
      },
      namespace: {
        type: "string",
        description:
          "The namespace of the PostgresVDB. Left out: the action's own. Another namespace has to allow it with a ReferenceGrant.",
        maxLength: labelLength,
        pattern: dnsLabel,
        allowed: dnsLabelWords,
        example: "pg-operator",
      },
    },
  });
export const vdbRef = vdbReference("The database that this action works on.");
export type VdbRef = TypeOf<typeof vdbRef>;
export const targetRef = vdbReference("The database that the text runs in.");

export const snapshotTypes = ["dct-snapshot", "dct-bookmark", "volume-snapshot", "timestamp"] as const;

const snapshotReference = <const T extends readonly string[]>(types: T, description: string, rules: readonly Rule[]) =>
  schema({
    type: "object",
    description,
    required: ["type"],
    properties: {
      type: {
        type: "string",
        description:
          "What kind of snapshot name refers to. dct-snapshot: a DCT snapshot's id (or name). dct-bookmark: a DCT bookmark's name. volume-snapshot: a VolumeSnapshot " +
          "in the database's namespace. timestamp: a moment; it means the newest snapshot at or before it." +
          (types.includes("previous") ? " previous: the data that the last refresh or rewind replaced; it needs no name." : ""),
        enum: types,
      },
      name: {
        type: "string",
        description: "The snapshot's name, for example 1-APPDATA_SNAPSHOT-1029, or the moment, for example 2026-01-31T12:00:00Z.",
        minLength: 1,
        maxLength: subdomainLength,
        allowed: "the snapshot's name",
        example: "1-APPDATA_SNAPSHOT-1029",
      },
    },
    rules: [
      ...rules,
      {
        rule: `self.type != 'volume-snapshot' || !has(self.name) || self.name == '' || self.name.matches('${dnsSubdomain}')`,
        fieldPath: ".name",
        message: `for type volume-snapshot it must be a VolumeSnapshot's name: ${dnsSubdomainWords}, for example my-volume-snapshot-name`,
      },
      {
        rule: `self.type != 'timestamp' || !has(self.name) || self.name == '' || ${isMoment("self.name")}`,
        fieldPath: ".name",
        message: "for type timestamp it must be a moment by RFC 3339, for example 2026-01-31T12:00:00Z",
      },
    ],
  });

const nameNeeded = (type: string): Rule => ({
  rule: `${type} || has(self.name)`,
  fieldPath: ".name",
  reason: "FieldValueRequired",
  message: "name the snapshot, for example 1-APPDATA_SNAPSHOT-1029; leave snapshotRef out for the latest snapshot",
});

export const refreshSnapshotRef = snapshotReference(
  snapshotTypes,
  "The snapshot whose data the database gets. Left out: the latest one of its source.",
  [nameNeeded("false")],
);
export type RefreshSnapshotRef = TypeOf<typeof refreshSnapshotRef>;

export const rewindSnapshotRef = snapshotReference(
  [...snapshotTypes, "previous"],
  "The snapshot that the database goes back to. Left out: its own latest one.",
  [
    nameNeeded("self.type == 'previous'"),
    {
      rule: "self.type != 'previous' || !has(self.name)",
      fieldPath: ".name",
      reason: "FieldValueForbidden",
      message: "type previous needs no name: leave it out, for example snapshotRef: {type: previous}",
    },
  ],
);
export type RewindSnapshotRef = TypeOf<typeof rewindSnapshotRef>;

/** The fields that every action has. */
export const common = {
  deadlineSeconds: {
    type: "integer",
    format: "int32",
    description:
      "How many seconds the action may take from its start. After that the operator gives it up and brings the old data back.",
    minimum: 1,
    maximum: 604_800,
    default: 3600,
    example: 3600,
  },
  ttlSecondsAfterFinished: {
    type: "integer",
    format: "int32",
    description: "How many seconds after its end the operator deletes the object. Left out: never.",
    minimum: 0,
    maximum: 31_536_000,
    example: 86_400,
  },
} as const;

export const previousRetention = durationField({
  description:
    "How long the operator keeps the replaced data after the end, so that a rewind with snapshotRef.type previous can return to it. 0s: not at all.",
  default: "24h",
  minimum: "0s",
  maximum: "8760h",
  example: "24h",
});

/** SQL or a command that belongs to one action. */
export const actionScript = (description: string) =>
  schema({
    type: "object",
    description,
    required: ["content"],
    properties: {
      type: scriptType("sql"),
      content: scriptText("The SQL, or the command's text."),
      database: databaseName("The database that SQL runs in. Left out: the PostgresVDB's spec.database.name."),
      timeoutSeconds: timeoutSeconds("How many seconds it may take. After that the operator ends it, and it counts as failed."),
    },
  });
/** SQL that shares one session, or a command beside it: the session's database is the PostgresVDB's. */
export const sessionScript = (description: string) => {
  const { database: _, ...properties } = actionScript(description).properties;
  return schema({ type: "object", description, required: ["content"], properties });
};
export type SessionScript = TypeOf<ReturnType<typeof sessionScript>>;

export type ActionScript = TypeOf<ReturnType<typeof actionScript>>;

/**
 * Declares `snapshotRef` beside `spec`, only to refuse it: the specification's VDBRewind example puts it there, and an
 * unknown field would be dropped in silence, which would make a rewind to a given snapshot one to the latest.
 */
export const misplacedSnapshotRef = {
  misplaced: {
    snapshotRef: schema({
      type: "object",
      description: "Not allowed here: put snapshotRef under spec.",
      required: [],
      properties: {
        type: { type: "string", description: "Not allowed here: put snapshotRef under spec." },
        name: { type: "string", description: "Not allowed here: put snapshotRef under spec." },
      },
    }),
  },
  rules: [
    {
      rule: "!has(self.snapshotRef)",
      fieldPath: ".snapshotRef",
      reason: "FieldValueForbidden",
      message: "put snapshotRef under spec: spec.snapshotRef: {type: dct-snapshot, name: 1-APPDATA_SNAPSHOT-1029}",
    },
  ],
} as const;
