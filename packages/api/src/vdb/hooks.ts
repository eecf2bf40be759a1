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
      description: "The hook's name, unique within its stage. Conditions and events use it.",
      maxLength: labelLength,
      pattern: dnsLabel,
      allowed: dnsLabelWords,
      example: "mask-emails",
    },
    stage: {
      type: "string",
      description:
        "When it runs. post-create: once on new data, behind the shut gate. pre-/post-refresh, -rewind, -snapshot: " +
        "before and after that action, whichever kind asks for it. After new data the gate stays shut until the post hooks have succeeded.",
      enum: hookStages,
    },
    type: scriptType("sql"),
    script: scriptText(
      "The SQL, or the text of the command. The first line of a command may name its interpreter (#!/bin/bash).",
    ),
    database: databaseName(
      "The database that SQL runs in, and that PGDATABASE names for a command. Left out: spec.database.name.",
    ),
    timeoutSeconds: timeoutSeconds(
      "How many seconds the hook may take. After that the operator ends it with all its processes, and it counts as failed.",
    ),
    continueOnError: {
      type: "boolean",
      description: "Whether the stage goes on when this hook fails. false: the failure ends the action, and the gate stays shut.",
      default: false,
    },
  },
});
export type Hook = TypeOf<typeof hook>;

export const hooks = schema({
  type: "array",
  description: "SQL and commands that run at stages of the database's life, within a stage in this order.",
  listType: "map",
  mapKeys: ["stage", "name"],
  maxItems: 64,
  items: hook,
});
