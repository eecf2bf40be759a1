import { common, previousRetention, refreshSnapshotRef } from "../actions/spec-fields.ts";
import { schema, type TypeOf } from "../schema.ts";

/** What the two schedules have in common; as in a CronJob. */
const timing = {
  schedule: {
    type: "string",
    description:
      "When, as cron writes it: minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, @monthly, @yearly.",
    maxLength: 100,
    pattern: "^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|[0-9A-Za-z*,/-]+( [0-9A-Za-z*,/-]+){4})$",
    allowed: "five fields of a cron expression with one space between them, or a word such as @daily",
    example: "0 3 * * 1-5",
  },
  timeZone: {
    type: "string",
    description: "The time zone of the schedule, by its name in the IANA database, for example Europe/Berlin.",
    maxLength: 64,
    default: "Etc/UTC",
    pattern: "^[A-Za-z]+([A-Za-z0-9_+-]*)(/[A-Za-z0-9_+-]+)*$",
    allowed: "the name of a time zone",
    example: "Europe/Berlin",
  },
  suspend: {
    type: "boolean",
    description: "true: nothing begins. What was missed meanwhile counts as missed.",
    default: false,
  },
  startingDeadlineSeconds: {
    type: "integer",
    format: "int32",
    description:
      "How late an action may begin that could not begin at its time. Of several that were missed only the last begins. Left out: however late.",
    minimum: 10,
    maximum: 31_536_000,
    example: 3600,
  },
  history: {
    type: "integer",
    format: "int32",
    description: "How many of its actions that have ended are kept, the newest. Their snapshots stay, see spec.snapshots.",
    minimum: 1,
    maximum: 100,
    default: 3,
    example: 3,
  },
  deadlineSeconds: common.deadlineSeconds,
} as const;

export const schedules = schema({
  type: "object",
  description:
    "Actions on this database by the clock: each is an ordinary action, named by its time, that this PostgresVDB owns.",
  required: [],
  properties: {
    refresh: {
      type: "object",
      description: "Refreshes of this database.",
      required: ["schedule"],
      properties: {
        ...timing,
        kind: {
          type: "string",
          description: "The kind of the action.",
          enum: ["VDBRefresh", "PostgresRefresh"],
          default: "VDBRefresh",
        },
        snapshotRef: refreshSnapshotRef,
        previousRetention,
      },
    },
    snapshot: {
      type: "object",
      description: "Snapshots of this database.",
      required: ["schedule"],
      properties: {
        ...timing,
        kind: {
          type: "string",
          description: "The kind of the action.",
          enum: ["VDBSnapshot", "PostgresSnapshot"],
          default: "VDBSnapshot",
        },
      },
    },
  },
});
export type VdbSchedules = TypeOf<typeof schedules>;
export type ScheduleName = keyof VdbSchedules;
export const scheduleNames = ["refresh", "snapshot"] as const satisfies readonly ScheduleName[];

const time = (description: string) => schema({ type: "string", format: "date-time", description });
const scheduleStatus = (description: string) =>
  schema({
    type: "object",
    description,
    required: ["of"],
    properties: {
      of: { type: "string", description: "The schedule and time zone that this is about.", maxLength: 200 },
      doneTime: time("Until when all its times have had their action or were skipped."),
      nextTime: time("The next time. Absent while it is suspended, or if there is none."),
      lastTime: time("The last time that has had an action."),
      lastAction: { type: "string", description: "The name of that action.", maxLength: 253 },
      skipped: {
        type: "object",
        description: "The last time that was skipped.",
        required: ["time", "reason", "message"],
        properties: {
          time: time("The time."),
          reason: {
            type: "string",
            description: "Why, in a word.",
            enum: ["DeadlineMissed", "Stopped", "NotReady", "NameTaken"],
          },
          message: { type: "string", description: "Why, for people.", maxLength: 1024 },
        },
      },
    },
  });

export const schedulesStatus = schema({
  type: "object",
  description: "What spec.schedules has come to.",
  required: [],
  properties: { refresh: scheduleStatus("Its refreshes."), snapshot: scheduleStatus("Its snapshots.") },
});
export type ScheduleStatus = NonNullable<TypeOf<typeof schedulesStatus>["refresh"]>;
