import { dnsLabel, dnsLabelWords, labelLength } from "../fields/names.ts";
import { databaseName, scriptText, scriptType, timeoutSeconds } from "../fields/script.ts";
import { schema, type TypeOf } from "../schema.ts";

export const hookStages = [
  "post-create",
  "pre-refresh",
  "post-refresh",
  "pre-rewind",
  "post-rewind",
  "pre-snapshot",
  "post-snapshot",
] as const;
export type HookStage = (typeof hookStages)[number];

export const hook = schema({
  type: "object",
  description: "One piece of SQL or one command, run at one stage of the database's life.",
  required: ["name", "stage", "script"],
  properties: {
    name: {
      type: "string",
      description: "The hook's name, unique within its stage; conditions and events call it by it.",
      maxLength: labelLength,
      pattern: dnsLabel,
      allowed: dnsLabelWords,
      example: "mask-emails",
    },
    stage: {
      type: "string",
      description:
        "When it runs. post-create: once, after the database was made and before any client is let in. pre-/post-refresh, -rewind, -snapshot: " +
        "before and after that action, whichever kind asked for it; clients are kept out until the post hooks have succeeded.",
      enum: hookStages,
    },
    type: scriptType("sql"),
    script: scriptText("The SQL, or the command's text; the first line of a command may name its interpreter (#!/bin/bash)."),
    database: databaseName(
      "The database that SQL runs in (and that PGDATABASE names for a command); left out: spec.database.name.",
    ),
    timeoutSeconds: timeoutSeconds("After how many seconds the hook is ended with all its processes and counts as failed."),
    continueOnError: {
      type: "boolean",
      description:
        "Whether the stage goes on when this hook fails. false: the failure ends the action, and clients are not let in.",
      default: false,
    },
  },
});
export type Hook = TypeOf<typeof hook>;

export const hooks = schema({
  type: "array",
  description: "SQL and commands to run at stages of the database's life, in this order within a stage.",
  listType: "map",
  mapKeys: ["stage", "name"],
  maxItems: 64,
  items: hook,
});
