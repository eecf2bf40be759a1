import type { ConditionTable } from "./vdb-conditions.ts";

/** The conditions of the eight actions and their reasons. The phase follows from the steps: a reason says why it lasts. */
export const actionConditions = {
  Ready: {
    meaning: "The action has completed and its result is there.",
    reasons: { Completed: "the action has completed" },
  },
  Succeeded: {
    meaning: "True: the action has completed. False: it has failed for good. Absent: it has not ended.",
    reasons: {
      Completed: "the action has completed",
      VdbNotFound: "the database was deleted, or made anew, while the action worked on it",
      VdbNotReady: "the state of the database does not allow this action",
      ReferenceNotGranted:
        "the database is in another namespace, which does not allow it; the message contains the grant to write",
      SnapshotNotFound: "the snapshot does not exist; the message lists the snapshots",
      SnapshotNotUsable: "the snapshot exists, but this database cannot use it",
      PlanNotFound: "spec.planRef names no plan that has completed",
      PlanStale: "the action would do something else than the plan in spec.planRef; the message says what",
      HookFailed: "a hook failed; the message names it and contains the end of its output",
      ScriptFailed: "the SQL or command of the action failed",
      StorageFailed: "the storage or DCT refused; the message contains the error",
      DeadlineExceeded: "spec.deadlineSeconds passed; the message contains the last error",
      StartFailed: "PostgreSQL did not start on the new data",
      Interrupted: "the pod ended while the text ran; whether the text took effect is unknown",
      Cancelled: "somebody deleted the action",
    },
  },
  Reconciling: {
    meaning: "The action waits or works. Absent once it has ended.",
    reasons: {
      Pending: "the action has not begun; the message says what it waits for",
      VdbNotFound: "the database does not exist; the action waits for it until its deadline",
      VdbNotReady: "the database is not open to clients; the action waits for it until its deadline",
      ReferenceNotGranted:
        "the database is in another namespace, which does not allow it; the message contains the grant to write",
      Queued: "the action waits for another one; the message names it",
      Running: "a step is under way; the message says what it waits for",
      RollingBack: "the action failed, ran out of time or was deleted; the operator undoes its effects",
      Retrying: "a step failed; the operator tries it again",
    },
  },
  Stalled: {
    meaning: "The action failed and a person has to act. The reason is that of Succeeded. Absent otherwise.",
    reasons: {},
  },
  RolledBack: {
    meaning: "After a failure: the old data is back and the database answers again.",
    reasons: {
      RolledBack: "the old data is back",
      NothingChanged: "the action had not touched the data yet",
      RollbackFailed: "the old data is kept, but the database does not run; the message says what to do",
    },
  },
  ModeEnforced: {
    meaning: "The database runs in spec.mode again.",
    reasons: {
      Enforced: "the database runs in spec.mode",
      NotEnforced: "the database does not run in spec.mode; the message says why",
    },
  },
  Translated: {
    meaning: "The operator has translated SQL for the server's version, for example pg_start_backup to pg_backup_start.",
    reasons: { Translated: "the message lists what was replaced" },
  },
} as const satisfies ConditionTable;
export type ActionConditionType = keyof typeof actionConditions;
