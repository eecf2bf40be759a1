import type { ConditionTable } from "./vdb-conditions.ts";

/** The conditions of the eight actions and their reasons. The phase follows from the steps: a reason says why it lasts. */
export const actionConditions = {
  Ready: {
    meaning: "The action is done and its result is there.",
    reasons: { Completed: "done" },
  },
  Succeeded: {
    meaning: "True: done. False: failed for good. Absent: not ended.",
    reasons: {
      Completed: "done",
      VdbNotFound: "the database does not exist",
      VdbNotReady: "the database is not in a state for this action",
      ReferenceNotGranted: "the database is in another namespace that does not allow it; the message holds the grant to write",
      SnapshotNotFound: "there is no such snapshot; the message names those there are",
      SnapshotNotUsable: "the snapshot exists, but this database cannot be made from it",
      HookFailed: "a hook failed; the message names it and holds the end of its output",
      ScriptFailed: "the action's own SQL or command failed",
      StorageFailed: "the storage or DCT refused; the message holds its words",
      DeadlineExceeded: "spec.deadlineSeconds passed; the message holds the last error",
      StartFailed: "the database did not start with the new data",
      Interrupted: "the pod died while the text ran: whether it took effect is not known",
      Cancelled: "the action was deleted",
    },
  },
  Reconciling: {
    meaning: "The action waits or works. Absent once it has ended.",
    reasons: {
      Pending: "not begun",
      Queued: "waits behind another action; the message names it",
      Retrying: "a step failed and is tried again",
    },
  },
  Stalled: {
    meaning: "The action failed and a person is needed; the reason is that of Succeeded. Absent otherwise.",
    reasons: {},
  },
  RolledBack: {
    meaning: "After a failure: whether the old data is back and the database answers again.",
    reasons: {
      RolledBack: "the old data is back",
      NothingChanged: "the data had not been touched yet",
      RollbackFailed: "the old data is kept, but the database does not run; the message tells what to do",
    },
  },
  ModeEnforced: {
    meaning: "The database runs in spec.mode again.",
    reasons: { Enforced: "so it is", NotEnforced: "it does not; the message tells why" },
  },
  Translated: {
    meaning: "SQL was put in the words of the server's version, for example pg_start_backup as pg_backup_start.",
    reasons: { Translated: "the message holds what was replaced" },
  },
} as const satisfies ConditionTable;
export type ActionConditionType = keyof typeof actionConditions;
