import { schema, type TypeOf } from "../schema.ts";

export const hygiene = schema({
  type: "object",
  description:
    "What becomes of things in the source's databases that would act by themselves in the copy. Read when new data comes, before hooks run.",
  required: [],
  properties: {
    subscriptions: {
      type: "string",
      description:
        "Logical subscriptions. Disable: they stay, disabled and without a slot. Drop: they are dropped. The copy never connects to the publisher.",
      enum: ["Disable", "Drop"],
      default: "Disable",
    },
    eventTriggers: {
      type: "string",
      description:
        "Event triggers that belong to no extension. Disable: ALTER EVENT TRIGGER … DISABLE. Keep: they fire as in the source.",
      enum: ["Disable", "Keep"],
      default: "Disable",
    },
    cronJobs: {
      type: "string",
      description:
        "Jobs of pg_cron. Disable: they become inactive. Keep: they run if postgresConfig preloads pg_cron, from the first start on.",
      enum: ["Disable", "Keep"],
      default: "Disable",
    },
  },
});
export type VdbHygiene = TypeOf<typeof hygiene>;
