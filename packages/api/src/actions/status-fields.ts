import { conditions, lastError, observedGeneration } from "../fields/condition.ts";
import { snapshotStatus } from "../fields/snapshot.ts";
import type { Column } from "../kind.ts";
import { type Schema, schema, type TypeOf } from "../schema.ts";

export const refreshPhases = [
  "Pending",
  "PreRefresh",
  "Stopping",
  "Refreshing",
  "Starting",
  "PostRefresh",
  "Finalizing",
  "Completed",
  "Error",
] as const;
export const rewindPhases = [
  "Pending",
  "PreRewind",
  "Stopping",
  "Rewinding",
  "Starting",
  "PostRewind",
  "Finalizing",
  "Completed",
  "Error",
] as const;
export const snapshotPhases = [
  "Pending",
  "PreSnapshot",
  "Snapshotting",
  "PostSnapshot",
  "Finalizing",
  "Completed",
  "Error",
] as const;
export const taskPhases = ["Pending", "Running", "Finalizing", "Completed", "Error"] as const;
export type ActionPhase =
  | (typeof refreshPhases)[number]
  | (typeof rewindPhases)[number]
  | (typeof snapshotPhases)[number]
  | (typeof taskPhases)[number];

const phaseText = {
  Pending: "the action has not begun, or waits for another action: see conditions",
  PreRefresh: "hooks before the refresh",
  Stopping: "PostgreSQL shuts down",
  Refreshing: "the new data is put in place",
  Starting: "the pod starts",
  PostRefresh: "hooks after the refresh",
  PreRewind: "hooks before the rewind",
  Rewinding: "the older data is put in place",
  PostRewind: "hooks after the rewind",
  PreSnapshot: "hooks before the snapshot, and the begin of the backup session",
  Snapshotting: "the storage takes the snapshot",
  PostSnapshot: "the end of the backup session, and hooks after the snapshot",
  Running: "the text runs",
  Finalizing: "clean-up and a last check",
  Completed: "the action has completed",
  Error: "the action has failed: see lastError",
} as const satisfies Readonly<Record<ActionPhase, string>>;

const step = schema({
  type: "object",
  description: "One step of the action.",
  required: ["name", "phase"],
  properties: {
    name: { type: "string", description: "The step's name.", maxLength: 63 },
    phase: { type: "string", description: "The action's phase while this is the first step that is not done.", maxLength: 63 },
    startTime: { type: "string", format: "date-time", description: "When it began. Written before any effect outside." },
    intent: {
      type: "string",
      description: "What it is about to do, written with startTime: by this its effect is found again after a crash.",
      maxLength: 1024,
    },
    completionTime: {
      type: "string",
      format: "date-time",
      description: "When its end was seen. Missing: it runs, or its result is not known yet.",
    },
    effect: {
      type: "string",
      description: "What the step began outside: a DCT job's id, an object's name.",
      maxLength: 512,
    },
    undoneTime: { type: "string", format: "date-time", description: "When its effect was found taken back, after a failure." },
    message: { type: "string", description: "What it did, or what it waits for.", maxLength: 32_768 },
  },
});
export type ActionStep = TypeOf<typeof step>;

const textRun = schema({
  type: "object",
  description: "One run of a text in the database's pod. Written before it begins, so that it never runs twice.",
  required: ["name", "outcome"],
  properties: {
    name: { type: "string", description: "Which text, for example attempt-1 or pre-snapshot/flush.", maxLength: 127 },
    pod: { type: "string", description: "The uid of the pod that it ran in.", maxLength: 63 },
    outcome: {
      type: "string",
      description:
        "How it ended. Running: not yet. Interrupted: its pod or its action ended, so whether it took effect is unknown.",
      enum: ["Running", "Succeeded", "Failed", "TimedOut", "Interrupted"],
    },
    startTime: { type: "string", format: "date-time", description: "When it began." },
    completionTime: { type: "string", format: "date-time", description: "When its end was seen." },
    exitCode: { type: "integer", format: "int32", description: "Its exit code." },
    output: {
      type: "string",
      description: "The end of the output of a hook or script, the password redacted, at most 4 KiB.",
      maxLength: 4096,
    },
  },
});
/** A run of a task's attempt, a hook or a script, as the action records it. */
export type ActionRun = TypeOf<typeof textRun>;

const rollback = schema({
  type: "object",
  description: "Why the action is taken back. Written before the first effect is undone; no further step begins from then on.",
  required: ["reason", "message", "startTime"],
  properties: {
    reason: { type: "string", description: "The reason that Succeeded gets at the end.", maxLength: 63 },
    message: { type: "string", description: "What failed, and what to do.", maxLength: 32_768 },
    startTime: { type: "string", format: "date-time", description: "When it was decided." },
    failure: { type: "string", description: "Why the old data could not be brought back.", maxLength: 32_768 },
  },
});

/** The status fields that every action has, with the phases of its kind. */
export const actionStatus = <const P extends readonly ActionPhase[], const R extends { readonly [name: string]: Schema }>(
  phases: P,
  results: R,
) =>
  schema({
    type: "object",
    description: "How far the action is, and its result.",
    required: ["phase", "observedGeneration"],
    properties: {
      phase: {
        type: "string",
        description: `Where the action stands: ${phases.map((phase) => `${phase} (${phaseText[phase]})`).join(", ")}.`,
        enum: phases,
      },
      conditions,
      observedGeneration,
      startTime: {
        type: "string",
        format: "date-time",
        description: "When the work began. Waiting for another action does not count.",
      },
      completionTime: { type: "string", format: "date-time", description: "When the action ended, in success or failure." },
      duration: { type: "string", description: "From startTime to completionTime, for example 12s.", maxLength: 32 },
      lastError,
      steps: {
        type: "array",
        description: "The steps so far, in order.",
        listType: "map",
        mapKeys: ["name"],
        maxItems: 64,
        items: step,
      },
      runs: {
        type: "array",
        description: "The runs of SQL and commands for this action.",
        listType: "map",
        mapKeys: ["name"],
        maxItems: 128,
        items: textRun,
      },
      rollback,
      ...results,
    },
  });

const lsn = (description: string) => schema({ type: "string", description, maxLength: 17 });

export const snapshotResult = { snapshot: snapshotStatus } as const;
export const lsnResult = {
  lsn: {
    type: "object",
    description: "The snapshot's position in the write-ahead log. A database restored from it has every commit before begin.",
    required: [],
    properties: {
      begin: lsn("The position at which the backup began, for example 0/3000028."),
      end: lsn("The position at which the backup ended."),
      timeline: { type: "integer", format: "int64", description: "The timeline of both." },
    },
  },
} as const;
export const taskResult = {
  output: {
    type: "string",
    description: "The end of the output, secrets redacted, at most 16 KiB.",
    maxLength: 16_384,
  },
  exitCode: { type: "integer", format: "int32", description: "The exit code of the last attempt." },
  attempts: { type: "integer", format: "int32", minimum: 0, example: 1, description: "How many attempts were made." },
} as const;

/** `kubectl get` of the actions reads alike. */
const phase: Column = { name: "Phase", type: "string", jsonPath: ".status.phase", description: "Where the action stands." };
const duration: Column = { name: "Duration", type: "string", jsonPath: ".status.duration", description: "How long it took." };
const age: Column = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "How old the object is." };
const vdb = (jsonPath: string): Column => ({ name: "VDB", type: "string", jsonPath, description: "The database it works on." });

export const actionColumns: readonly Column[] = [
  phase,
  vdb(".spec.vdbRef.name"),
  { name: "Snapshot", type: "string", jsonPath: ".status.snapshot.name", description: "The snapshot that was taken or used." },
  duration,
  age,
];
export const taskColumns: readonly Column[] = [
  phase,
  vdb(".spec.targetRef.name"),
  { name: "ExitCode", type: "integer", jsonPath: ".status.exitCode", description: "The exit code of the last attempt." },
  { name: "Attempts", type: "integer", jsonPath: ".status.attempts", description: "How many attempts were made.", wide: true },
  duration,
  age,
];
