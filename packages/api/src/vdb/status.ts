import { conditions, lastError, observedGeneration } from "../fields/condition.ts";
import { schema, type TypeOf } from "../schema.ts";
import { expiryStatus } from "./expiry.ts";
import { hookStages } from "./hooks.ts";
import { schedulesStatus } from "./schedules.ts";
import { sourceTypes } from "./source.ts";

export const vdbPhases = [
  "Pending",
  "Provisioning",
  "Configuring",
  "Deploying",
  "Ready",
  "Stopped",
  "Error",
  "Terminating",
] as const;
export type VdbPhase = (typeof vdbPhases)[number];

const text = (description: string, maxLength = 512) => schema({ type: "string", description, maxLength });
const time = (description: string) => schema({ type: "string", format: "date-time", description });

const origin = schema({
  type: "object",
  description: "The source of the present data, as it was when the data was created.",
  required: [],
  properties: {
    type: { type: "string", description: "The type of the source.", enum: sourceTypes },
    engine: text("The engine of a DCT source."),
    name: text("The name of the dSource, VDB, claim or VolumeSnapshot."),
    namespace: text("The namespace of the claim or VolumeSnapshot.", 63),
    id: text("The DCT id of the dSource or VDB."),
    snapshotName: text("The snapshot's name: a VolumeSnapshot, or DCT's name of one."),
    snapshotId: text("The DCT id of the snapshot."),
    postgresVersion: text("The version of PostgreSQL that wrote the data, for example 16.2 or 16."),
    crashConsistent: {
      type: "boolean",
      description: "Whether the data was copied from files in use, without a checkpoint: its server recovers as after a crash.",
    },
  },
});

const contentFields = {
  id: text("The id of that data. Each create, refresh and rewind makes a new one.", 63),
  claimName: text("The claim that holds that data.", 253),
  handle: text("The driver's id of its volume: for a DCT source the id of the VDB in DCT."),
  timeflow: text(
    "The timeflow of the VDB in DCT that has that data. A refresh or rewind records it before it stops the database; absent before the first.",
  ),
  madeBy: {
    type: "string",
    description: "What made that data. The hooks of that stage run on it before the gate opens.",
    enum: ["create", "refresh", "rewind"],
  },
  snapshot: {
    type: "object",
    description: "The snapshot that it was made from.",
    required: [],
    properties: {
      id: text("The DCT id of the snapshot."),
      name: text("The snapshot's name: a VolumeSnapshot, or DCT's name of one."),
    },
  },
  dataTimestamp: time("The moment of the source's data that it holds: how fresh it is."),
  takenOpen: {
    type: "boolean",
    description:
      "Whether the state that a rewind returned to was taken while clients were let in, so that hooks have run on it. " +
      "If not, or unknown, post-refresh hooks (post-create, if there are none) run before the post-rewind ones.",
  },
  cleanedTime: time(
    "When the operator had switched off what would act by itself in that data (see spec.hygiene). It happens once, before its hooks.",
  ),
  openedTime: time(
    "When the gate was first opened for that data: its hooks had succeeded. While it is absent no client is let in.",
  ),
} as const;

const content = schema({
  type: "object",
  description: "The present data.",
  required: ["id", "madeBy"],
  properties: contentFields,
});
export type VdbContent = TypeOf<typeof content>;

const replaced = schema({
  type: "object",
  description: "The data that the action has replaced. It stays until the action has proven the new data.",
  required: ["id", "madeBy"],
  properties: contentFields,
});

export const holds = ["none", "stopped", "beforeHooks", "beforeOpen"] as const;
export type VdbHold = (typeof holds)[number];

const activeAction = schema({
  type: "object",
  description: "The action that works on this database now. Others wait for it.",
  required: ["kind", "name", "namespace", "uid"],
  properties: {
    kind: text("The action's kind, for example PostgresRefresh."),
    name: text("The action's name."),
    namespace: text("The action's namespace.", 63),
    uid: text("The action's uid."),
    hold: {
      type: "string",
      description:
        "How far the database may come up. none: all the way. stopped: no pod. beforeHooks: the server runs behind the shut gate. " +
        "beforeOpen: the hooks have run as well. Absent: none.",
      enum: holds,
    },
    replaced,
  },
});

const held = schema({
  type: "object",
  description: "The database's answer to the hold of the action: it is there, or why it cannot get there.",
  required: ["uid", "hold", "contentId"],
  properties: {
    uid: text("The uid of the action."),
    hold: { type: "string", description: "Where the database is held.", enum: holds },
    contentId: text("The data that it holds.", 63),
    reason: text("Why it cannot get there: the reason of the condition that failed."),
    message: text("The same for people.", 4096),
  },
});

const previous = schema({
  type: "object",
  description:
    "The data that the last refresh or rewind replaced. A VDBRewind or PostgresRewind with snapshotRef.type previous returns to it.",
  required: ["id", "madeBy"],
  properties: {
    ...contentFields,
    until: time(
      "Until when the operator keeps that data. Absent: an undo was refused, and it stays until the next refresh or rewind has completed.",
    ),
  },
});

const hookRun = schema({
  type: "object",
  description: "One run of a hook on the present data. Written before the hook begins, so that no hook runs twice by mistake.",
  required: ["stage", "name", "outcome"],
  properties: {
    stage: { type: "string", description: "The hook's stage.", enum: hookStages },
    name: text("The hook's name.", 63),
    contentId: text("The data that it ran on.", 63),
    scriptHash: text("Which text it ran. A corrected hook runs again.", 63),
    pod: text("The uid of the pod that it ran in.", 63),
    outcome: {
      type: "string",
      description: "How it ended. Running: not yet. Interrupted: its pod ended, so whether the hook took effect is unknown.",
      enum: ["Running", "Succeeded", "Failed", "TimedOut", "Interrupted"],
    },
    startTime: time("When it began."),
    completionTime: time("When its end was seen."),
    exitCode: { type: "integer", format: "int32", description: "Its exit code." },
    output: {
      type: "string",
      description: "The end of its output, the password redacted, at most 4 KiB.",
      maxLength: 4096,
    },
  },
});
export type HookRun = TypeOf<typeof hookRun>;

export const postgresVdbStatus = schema({
  type: "object",
  description: "The state of the database as the operator last saw it.",
  required: ["phase", "observedGeneration"],
  properties: {
    phase: {
      type: "string",
      description:
        "The state of the database in one word. Pending, Provisioning (volume), Configuring (settings), Deploying (pod), Ready; " +
        "Stopped (enabled: false), Error (see conditions and lastError), Terminating.",
      enum: vdbPhases,
    },
    ready: { type: "boolean", description: "Whether clients can use the database now." },
    conditions,
    observedGeneration,
    pvcName: text("The claim that holds the present data.", 253),
    delphixVDB: text("The name of the VDB in DCT."),
    delphixID: text("The id of the VDB in DCT."),
    endpoint: text("Where clients inside the cluster reach the database: host:port."),
    dataTimestamp: time(
      "The moment of the source's data that the last create, refresh or rewind brought: how fresh the data is.",
    ),
    ownBytes: {
      type: "integer",
      format: "int64",
      description:
        "The bytes that this database alone holds, as DCT counts them. Told anew when they have changed by more than a tenth and by more than a MiB.",
      minimum: 0,
      example: 16_777_216,
    },
    content,
    source: origin,
    hooks: {
      type: "array",
      description: "The runs of hooks on the present data.",
      listType: "map",
      mapKeys: ["stage", "name"],
      maxItems: 64,
      items: hookRun,
    },
    activeAction,
    held,
    previous,
    expiry: expiryStatus,
    schedules: schedulesStatus,
    lastError,
  },
});
export type PostgresVDBStatus = TypeOf<typeof postgresVdbStatus>;

/** Pure: the claims that hold a database's data: the present, and what the last refresh or rewind replaced. */
export const claimsOf = (status: Pick<PostgresVDBStatus, "pvcName" | "previous">): readonly string[] =>
  [status.pvcName, status.previous?.claimName].filter((name) => name !== undefined);
