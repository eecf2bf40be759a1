import { databaseName, scriptText, scriptType, timeoutSeconds } from "../fields/script.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { schema, type TypeOf } from "../schema.ts";
import { common, immutableSpec, targetRef } from "./spec-fields.ts";
import { actionStatus, taskColumns, taskPhases, taskResult } from "./status-fields.ts";

const retryPolicy = schema({
  type: "object",
  description: "Whether and when a failed attempt runs again. Left out: never.",
  required: [],
  properties: {
    maxRetries: {
      type: "integer",
      format: "int32",
      description: "How many attempts may follow the first one.",
      minimum: 0,
      maximum: 100,
      default: 0,
      example: 3,
    },
    delay: {
      type: "integer",
      format: "int32",
      description: "How many seconds to wait before the next attempt.",
      minimum: 0,
      maximum: 86_400,
      default: 10,
      example: 10,
    },
  },
});
export type RetryPolicy = TypeOf<typeof retryPolicy>;

const taskSpec = <const D extends "sql" | "command">(defaultType: D) =>
  schema({
    type: "object",
    description: "What to run, and where.",
    required: ["targetRef", "content"],
    properties: {
      targetRef,
      type: scriptType(defaultType),
      content: scriptText(
        "The SQL, or the text of the command. The first line of a command may name its interpreter (#!/bin/bash).",
      ),
      database: databaseName("The database that SQL runs in. Left out: the PostgresVDB's spec.database.name."),
      timeoutSeconds: timeoutSeconds(
        "How many seconds one attempt may take. After that the operator ends it with all its processes, and it counts as failed.",
      ),
      retryPolicy,
      ...common,
    },
    rules: [immutableSpec],
  });

/** SQL or a command in a running database. */
export const postgresTask = defineKind({
  group: "actions.delphix.com",
  version: "v1alpha1",
  kind: "PostgresTask",
  plural: "postgrestasks",
  shortNames: ["pgtask"],
  description: "Runs SQL or a command once in a running PostgreSQL database, and keeps its output and exit code.",
  spec: taskSpec("sql"),
  status: actionStatus(taskPhases, taskResult),
  columns: taskColumns,
});
export type PostgresTask = ObjectOf<typeof postgresTask>;

/** A command or SQL in a running virtual database of any kind. */
export const task = defineKind({
  group: "actions.delphix.com",
  version: "v1alpha1",
  kind: "Task",
  plural: "tasks",
  shortNames: ["vdbtask"],
  description: "Runs a command or SQL once in a running virtual database of any kind, and keeps its output and exit code.",
  spec: taskSpec("command"),
  status: actionStatus(taskPhases, taskResult),
  columns: taskColumns,
});
export type Task = ObjectOf<typeof task>;
