/**
 * The conditions of a PostgresVDB and their reasons: one table for the operator, its tests and the reference.
 *
 * A step of the reconcile sets its own condition (the order below is the order in which a database comes up); Ready is
 * computed from them; Reconciling and Stalled are kstatus' own words.
 */
export const vdbConditions = {
  Ready: {
    meaning: "Clients can use the database. Absent while it is stopped as declared.",
    reasons: {
      Ready: "all is as declared",
    },
  },
  Reconciling: {
    meaning: "Work is being done, or will be tried again by itself. Absent otherwise.",
    reasons: {
      Progressing: "a step is being done",
      Retrying: "a step failed and is tried again after spec.errorBackoffPeriod",
      ActionRunning: "an action works on the database",
    },
  },
  Stalled: {
    meaning: "Only a person can help; the reason is that of the condition that failed. Absent otherwise.",
    reasons: {},
  },
  Accepted: {
    meaning: "The manifest can be carried out: its source type, settings, hooks and password.",
    reasons: {
      Accepted: "so it is",
      Adjusted: "so it is, and something in it means what holds anyway; the message says what was left out or read how",
      SourceTypeNotSupported: "this version does not yet make databases from such a source",
      ModeNotSupported: "this version does not yet run databases in such a mode",
      BadReference: "spec.source.namespace is not the PostgresVDB's own, and such a source can be in no other",
      ResourcesRefused: "a quantity is none, makes no sense, or a request exceeds its limit; the message names it",
      SettingRefused: "a setting is not one, is the operator's own, or is given twice; the message names it",
      SecretNotFound: "the Secret with the password does not exist",
      SecretKeyMissing: 'the Secret has no key "password"',
      PasswordTooShort: "the password in the Secret has fewer than 8 characters",
    },
  },
  SourceResolved: {
    meaning: "The source, the group and the environment exist and may be used.",
    reasons: {
      Resolved: "found",
      BadReference: "the reference is not of the form engine:name",
      EngineNotFound: "there is no such engine; the message names those there are",
      EngineAmbiguous: "more than one engine has that name",
      SourceNotFound: "there is no such source; the message names those there are",
      SourceAmbiguous: "more than one source has that name",
      SourceNotReady: "the source is there, but nothing can be made from it yet",
      GroupNotFound: "there is no such dataset group; the message names those there are",
      GroupAmbiguous: "more than one dataset group has that name",
      EnvironmentNotFound: "there is no such environment",
      EnvironmentAmbiguous: "no environment is named and there are several",
      ReferenceNotGranted: "the source is in another namespace that does not allow it; the message holds the grant to write",
      DctNotConfigured: "a dct-source needs a DCT and none is configured",
      DctUnreachable: "DCT does not answer",
      DctUnauthorized: "DCT refuses the API key",
      DctFailed: "DCT answered with an error; the message holds its words",
    },
  },
  Provisioned: {
    meaning: "The volume with the data exists.",
    reasons: {
      Provisioned: "the claim is bound",
      Provisioning: "the claim is being made",
      ProvisioningFailed: "the storage refused; the message holds its words",
      StorageFull: "the storage has no room for the volume",
      ClaimDeleted: "somebody has deleted the claim: it is there as long as the pod uses it, and its data goes with it",
      ClaimNotFound: "the claim that held the data was deleted, and the data with it",
      ClaimNotOurs: "a claim of that name exists and belongs to somebody else",
      StorageClassNotFound: "there is no such StorageClass",
    },
  },
  Configured: {
    meaning: "Settings and start script are in place.",
    reasons: {
      Configured: "in place",
      Configuring: "being put in place",
      NameTaken: "a ConfigMap of that name exists and belongs to somebody else",
      SettingRefused: "PostgreSQL does not take a setting; the message names it",
    },
  },
  Deployed: {
    meaning: "The pod runs and the server answers.",
    reasons: {
      Deployed: "the server answers",
      Starting: "the pod is being started",
      Stopping: "the pod is being stopped",
      Stopped: "spec.enabled is false",
      ImagePullFailed: "the image cannot be had",
      ImageWithoutPostgres: "the image has no PostgreSQL server",
      ImageUnknown: "no image is given and none is configured for the data's major version",
      Unschedulable: "no node has room for the pod",
      PodRefused:
        "the cluster does not let the pod be made, for example by its quota or Pod Security; the message holds its words",
      MountFailed: "the volume cannot be mounted; the message holds the driver's words",
      SandboxFailed: "the node cannot make the pod's sandbox: its network, its memory; the message holds the runtime's words",
      SettingRefused: "PostgreSQL does not start with a setting; the message names it",
      NotADatabase: "the volume holds no database; nothing was made in its place",
      MajorMismatch: "the image's major version is not the data's; the data is untouched",
      OwnerMismatch: "the data belongs to another user than spec.ownershipSpec",
      Crashing: "the container ends again and again; the message holds its last words and what to do about them",
      NameTaken: "a Deployment or Service of that name exists and belongs to somebody else",
      DctNotConfigured: "after a stop the VDB has to be enabled in DCT, and no DCT is configured",
      DctUnreachable: "after a stop the VDB has to be enabled in DCT, which does not answer",
      DctUnauthorized: "after a stop the VDB has to be enabled in DCT, which refuses the API key",
      DctFailed: "after a stop the VDB has to be enabled in DCT, which answered with an error; the message holds its words",
    },
  },
  Prepared: {
    meaning: "Role, password and database are as declared.",
    reasons: {
      Prepared: "as declared",
      Preparing: "being set",
      RoleNotFound: "the data has no such role; the message names those there are",
      DatabaseNotFound: "the data has no such database; the message names those there are",
      LoginFailed:
        "the server ends a session of the role in the database, or each of a superuser's; the message holds its words and the cure",
      SuperuserNotFound: "no superuser of the data may log in, and the operator needs one; the message names the roles there are",
      SettingRefused: "PostgreSQL does not take a setting; the message names it, the former ones stay in force",
      Unreachable: "the server in the pod could not be asked",
      SqlFailed: "the server refused a statement; the message holds its words",
      NameTaken: "the ConfigMap or Deployment has meanwhile been replaced by somebody else's of the same name",
    },
  },
  HooksSucceeded: {
    meaning: "Every hook of the stage has succeeded, or may fail. Until then no client is let in.",
    reasons: {
      Succeeded: "all have run",
      NoHooks: "the stage has none",
      Running: "one is running",
      HookFailed: "one failed; the message names it and holds the end of its output",
      HookTimedOut: "one did not end in its time",
      HookInterrupted: "the pod died while one ran: whether it took effect is not known",
    },
  },
  HygieneApplied: {
    meaning:
      "What of the source's own set-up was left out or wants attention: archive and replication settings, collations, foreign servers.",
    reasons: {
      Clean: "nothing of note was left out",
      Adjusted: "libraries, replication settings or settings unknown to the server were left out; the message lists them",
      NeedsAttention:
        "something may reach back to production, needs a REINDEX or waits to be ended, such as a prepared transaction; the message lists it",
    },
  },
  HooksComplete: {
    meaning:
      "A database with post-create hooks has post-refresh hooks too. False is a warning: a refresh would bring data past the former.",
    reasons: {
      Complete: "so it is",
      PostRefreshMissing: "post-create hooks, but none for post-refresh",
    },
  },
  StorageHealthy: {
    meaning:
      "The engine's storage that the data lies on has room. It has no part in Ready. Absent where the engine gives no figures, as a DCT may.",
    reasons: {
      RoomLeft: "there is room",
      PoolNearlyFull: "only the engine's reserve is left: new copies and snapshots are refused",
      PoolFull: "there is none: databases get No space left on device",
    },
  },
} as const satisfies ConditionTable;

export type ConditionTable = Readonly<
  Record<string, { readonly meaning: string; readonly reasons: Readonly<Record<string, string>> }>
>;
export type VdbConditionType = keyof typeof vdbConditions;
/** The reasons that the table documents for one condition. */
export type VdbReason<T extends VdbConditionType = VdbConditionType> = T extends VdbConditionType
  ? Extract<keyof (typeof vdbConditions)[T]["reasons"], string>
  : never;
