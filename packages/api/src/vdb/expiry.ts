import { durationMilliseconds, optionalDuration } from "../fields/duration.ts";
import { isMoment } from "../fields/moment.ts";
import { schema, type TypeOf } from "../schema.ts";
import type { PostgresVDB } from "./postgres-vdb.ts";

export const expiry = schema({
  type: "object",
  description:
    "Until when the database is needed. Left out: until somebody deletes it. The condition Expiring says it ahead of time. An edit renews it.",
  required: ["action"],
  properties: {
    after: optionalDuration({
      description: "So long after the moment that `from` names.",
      minimum: "10m",
      maximum: "87600h",
      example: "8h",
    }),
    at: {
      type: "string",
      description: "The moment itself, for example 2026-01-31T18:00:00Z.",
      maxLength: 40,
      rules: [
        {
          rule: isMoment("self"),
          message: "must be a moment by RFC 3339, for example 2026-01-31T18:00:00Z",
        },
      ],
    },
    from: {
      type: "string",
      description:
        "What `after` counts from. Creation: the creation of the PostgresVDB. LastRefresh: the moment at which clients were let in to its present data, which each refresh and rewind renews.",
      enum: ["Creation", "LastRefresh"],
      default: "Creation",
    },
    action: {
      type: "string",
      description:
        "What the operator does then. Stop: it stops the database and keeps its data, as enabled: false does. Delete: it deletes the PostgresVDB, and the data as deletionPolicy says.",
      enum: ["Stop", "Delete"],
    },
  },
  rules: [
    {
      rule: "has(self.after) != has(self.at)",
      message: "must have one of after and at, for example {after: 8h, action: Stop}",
    },
    {
      rule: "!has(self.at) || self.from == 'Creation'",
      fieldPath: ".from",
      message: "is for after alone: a moment counts from nothing",
    },
  ],
});
export type VdbExpiry = TypeOf<typeof expiry>;

export const expiryStatus = schema({
  type: "object",
  description: "What spec.expiry amounts to.",
  required: ["time", "action"],
  properties: {
    time: { type: "string", format: "date-time", description: "When the database expires." },
    action: { type: "string", description: "What the operator does then.", enum: ["Stop", "Delete"] },
    announcedTime: {
      type: "string",
      format: "date-time",
      description: "Since when the condition Expiring tells of it. The operator does nothing that it has not announced before.",
    },
    stoppedTime: {
      type: "string",
      format: "date-time",
      description: "Since when the database is stopped because it has expired. Until an edit of spec.expiry it stays so.",
    },
  },
});

/** Whether the database is to run, as far as it is up to its manifest: what has expired is off. */
export const isSwitchedOn = ({ spec, status }: Pick<PostgresVDB, "spec" | "status">): boolean =>
  spec.enabled && status.expiry?.stoppedTime === undefined;

/** When a database expires, in whole seconds as statuses have them; undefined: never. */
export function expiryTimeMs({ spec: { expiry: given }, status, metadata }: PostgresVDB): number | undefined {
  if (given === undefined) return undefined;
  const { after, at, from } = given;
  const openedTime = from === "LastRefresh" ? status.content?.openedTime : undefined;
  const ms =
    after === undefined
      ? Date.parse(at ?? "")
      : Date.parse(openedTime ?? metadata.creationTimestamp) + durationMilliseconds(after);
  return Math.floor(ms / 1000) * 1000;
}
