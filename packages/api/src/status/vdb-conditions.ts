/**
 * The conditions of a PostgresVDB and their reasons: one table for the operator, its tests and the reference.
 *
 * A step of the reconcile sets its own condition (the order below is the order in which a database comes up); Ready is
 * computed from them; Reconciling and Stalled are kstatus' own words.
 */
export const vdbConditions = {
  Ready: {
    meaning: "Clients can use the database. Absent while the database is stopped as declared.",
    reasons: {
      Ready: "the database is as declared",
    },
  },
  Reconciling: {
    meaning: "The operator works on the database, or tries again by itself. Absent otherwise.",
    reasons: {
      Progressing: "the operator does a step",
      Retrying: "a step failed; the operator tries it again after spec.errorBackoffPeriod",
      ActionRunning: "an action works on the database",
    },
  },
  Stalled: {
    meaning: "A person has to act. The reason is that of the condition that failed. Absent otherwise.",
    reasons: {},
  },
  Accepted: {
    meaning: "The operator can carry out the manifest: its source type, settings, hooks and password.",
    reasons: {
      Accepted: "the operator can carry it out",
      Adjusted: "the operator can carry it out, but leaves something out or reads it differently; the message names it",
      SourceTypeNotSupported: "this version does not support this source type yet",
      BadReference: "spec.source.namespace is not the PostgresVDB's own; this source type allows no other",
      ResourcesRefused: "a quantity is malformed or too small, or a request exceeds its limit; the message names it",
      SettingRefused: "an entry is not a setting, belongs to the operator, or appears twice; the message names it",
      SecretNotFound: "the Secret with the password does not exist",
      SecretKeyMissing: 'the Secret has no key "password"',
      PasswordTooShort: "the password in the Secret has fewer than 8 characters",
    },
  },
  SourceResolved: {
    meaning: "The source, the group and the environment exist and are usable.",
    reasons: {
      Resolved: "the source, the group and the environment exist",
      BadReference: "the reference is not of the form engine:name",
      EngineNotFound: "no engine has that name; the message lists the engines",
      EngineAmbiguous: "more than one engine has that name",
      SourceNotFound: "no source has that name; the message lists the sources",
      SourceAmbiguous: "more than one source has that name",
      SourceNotReady: "the source exists, but no database can be made from it yet",
      SourceNotUsable: "no database can be made from the source as it is; the message says why",
      ClaimInUse: "a pod or another PostgresVDB uses the claim that is to be adopted; the message names it",
      GroupNotFound: "no dataset group has that name; the message lists the groups",
      GroupAmbiguous: "more than one dataset group has that name",
      EnvironmentNotFound: "no environment has that name; the message lists the environments",
      EnvironmentAmbiguous: "the manifest names no environment, and the engine has several",
      StorageClassNotUsable:
        "the StorageClass is not of the source's driver, or the driver has none or several; the message names them: set spec.storageClassName",
      ReferenceNotGranted: "the source is in another namespace, which does not allow it; the message contains the grant to write",
      DctNotConfigured: "a dct-source needs a DCT, and no DCT is configured",
      DctUnreachable: "DCT does not answer",
      DctUnauthorized: "DCT refuses the API key",
      DctFailed: "DCT answers with an error; the message contains it",
    },
  },
  Provisioned: {
    meaning: "The volume with the data exists.",
    reasons: {
      Provisioned: "the claim is bound",
      Provisioning: "the storage provisions the claim",
      ProvisioningFailed: "the storage or the cluster refuses the claim; the message contains the error",
      StorageFull: "the storage has too little free space for the volume",
      ClaimDeleted: "somebody has deleted the claim: it exists as long as the pod uses it, and its data goes with it",
      ClaimNotFound: "the claim that held the data does not exist any more, nor does the data",
      ClaimNotOurs: "a claim of that name exists and belongs to another owner",
      StorageClassNotFound: "the StorageClass does not exist",
    },
  },
  Configured: {
    meaning: "Settings and start script are in place.",
    reasons: {
      Configured: "settings and start script are in place",
      Configuring: "the operator writes settings and start script",
      NameTaken: "a ConfigMap of that name exists and belongs to another owner",
      SettingRefused: "PostgreSQL refuses a setting; the message names it",
    },
  },
  Deployed: {
    meaning: "The pod runs and the server answers.",
    reasons: {
      Deployed: "the server answers",
      Starting: "the pod starts",
      Stopping: "PostgreSQL shuts down and the pod ends",
      Stopped: "spec.enabled is false",
      ImagePullFailed: "the node cannot pull the image; the message contains the registry's error",
      ImageWithoutPostgres: "the image has no PostgreSQL server",
      ImageUnknown: "spec.image is empty, and the operator has no image for the data's major version",
      Unschedulable: "no node can take the pod; the message is the scheduler's",
      PodRefused: "the cluster refuses the pod, for example by a quota or Pod Security; the message contains the error",
      MountFailed: "the node cannot mount the volume; the message contains the driver's error",
      SandboxFailed: "the node cannot create the pod's sandbox; the message contains the container runtime's error",
      SettingRefused: "PostgreSQL does not start with its settings; the message contains its error",
      NotADatabase: "the volume contains no database; the operator creates none in its place",
      DataAmbiguous: "the volume contains more than one data directory; the message names them: set spec.dataDirectory",
      MajorMismatch: "the image's major version differs from the data's; the data is untouched",
      OwnerMismatch: "the data belongs to another user than spec.ownershipSpec names",
      Crashing: "the container ends again and again; the message contains its last output and what to do",
      ClaimInUse: "a pod of another owner uses the adopted claim; the message names it",
      NameTaken: "a Deployment, Service or PodDisruptionBudget of that name exists and belongs to another owner",
      DctNotConfigured: "after a stop the operator enables the VDB in DCT, and no DCT is configured",
      DctUnreachable: "after a stop the operator enables the VDB in DCT, which does not answer",
      DctUnauthorized: "after a stop the operator enables the VDB in DCT, which refuses the API key",
      DctFailed: "after a stop the operator enables the VDB in DCT, which answers with an error; the message contains it",
    },
  },
  Prepared: {
    meaning: "Role, password and database are as declared.",
    reasons: {
      Prepared: "settings and password are in force",
      Preparing: "the operator puts settings and password in force",
      RoleNotFound: "the data has no such role, or the role may not log in; the message lists the choices",
      DatabaseNotFound: "the data has no such database; the message lists the databases",
      LoginFailed:
        "the server ends each session of the role in the database, or of every superuser; the message contains its error and the cure",
      SuperuserNotFound: "the operator needs a superuser that may log in, and the data has none; the message lists the roles",
      SettingRefused: "PostgreSQL refuses a setting; the message names it; the earlier settings stay in force",
      Unreachable: "the server in the pod does not answer the operator",
      SqlFailed: "the server refuses a statement; the message contains its error",
      CertificateMissing: "the server has no certificate, because the Secret of spec.tls does not exist or lacks a key",
      CertificateRefused:
        "the server has no certificate, because PostgreSQL refuses that of spec.tls; the message contains its error",
      NameTaken: "another owner's ConfigMap or Deployment has replaced the database's own, under the same name",
    },
  },
  HooksSucceeded: {
    meaning: "Every hook of the stage has succeeded, or has continueOnError. Until then the gate is shut.",
    reasons: {
      Succeeded: "all hooks have run",
      NoHooks: "the stage has no hooks",
      Running: "a hook runs",
      HookFailed: "a hook failed; the message names it and contains the end of its output",
      HookTimedOut: "a hook did not end within its timeoutSeconds; the message names it",
      HookInterrupted: "the pod ended while a hook ran; whether the hook took effect is unknown",
    },
  },
  HygieneApplied: {
    meaning:
      "The operator leaves out or switches off what would act as the source, such as archiving, replication and subscriptions. The message lists what is worth knowing.",
    reasons: {
      Clean: "the copy leaves out nothing of note",
      Adjusted:
        "the copy leaves out libraries or settings, or subscriptions, event triggers or jobs are switched off in it; the message lists them",
      NeedsAttention:
        "something in the copy needs a person, for example a prepared transaction or a foreign server; the message lists it",
    },
  },
  HooksComplete: {
    meaning:
      "A database with post-create hooks has post-refresh hooks too. False is a warning: a refresh brings data that no post-create hook has seen.",
    reasons: {
      Complete: "the database has hooks of both stages",
      PostRefreshMissing: "the database has post-create hooks and no post-refresh hooks",
    },
  },
  CertificateCurrent: {
    meaning:
      "The server serves TLS with the certificate in the Secret of spec.tls. False while an earlier one stays in force. Ready does not depend on it. Absent without spec.tls.",
    reasons: {
      InForce: "the certificate is in force",
      NeedsAttention: "the certificate is in force, but has expired or is not for the Service's name; the message says so",
      CertificateMissing: "the Secret does not exist or lacks a key; an earlier certificate stays in force, if there is one",
      CertificateRefused:
        "PostgreSQL refuses the certificate; the message contains its error; an earlier one stays in force, if there is one",
    },
  },
  Expiring: {
    meaning: "The database expires soon, or has expired, as spec.expiry says. Absent otherwise. Ready does not depend on it.",
    reasons: {
      Announced: "the message says when the operator stops or deletes the database, and how to renew it",
      Expired: "the database is stopped because it has expired; the message says how to renew it",
    },
  },
  Scheduled: {
    meaning: "Actions begin as spec.schedules says. Ready does not depend on it. Absent without spec.schedules.",
    reasons: {
      Scheduled: "status.schedules has the next and the last times",
      ScheduleRefused: "a schedule or time zone cannot be read, or never comes; the message says which and why",
      ActionRefused: "the API server refuses the action; the message contains its answer",
    },
  },
  StorageHealthy: {
    meaning:
      "The engine's storage has free space. Ready does not depend on it. Absent where DCT gives no figures for the engine.",
    reasons: {
      RoomLeft: "the storage has free space",
      PoolNearlyFull: "only the engine's reserve is free: the engine refuses new copies and snapshots",
      PoolFull: "the storage is full: databases get No space left on device",
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
