import { snapshotRefRows } from "./action-rows.ts";
import { limitRows, type RuleRow } from "./rows.ts";

const { whole, text, script, database } = limitRows;
const source = (type: string, reference: string, more: object = {}): object => ({ type, reference, ...more });
const immutable =
  "is immutable once the data exists: for newer data apply a PostgresRefresh (spec.vdbRef.name: this VDB); for another source apply a new PostgresVDB";

/** What is given in bytes, with the least that is sensible. */
const enough = (field: string, least: string, example: string, leastBytes: number): RuleRow[] =>
  [leastBytes - 1, "1", "-1Gi", "much", "64m", "0.5Ki"].map((refused) => ({
    field,
    refused,
    given: { "spec.resources": {} },
    message: `must be a quantity of at least ${least}, or 0 for none, for example ${example}`,
    accepted: [leastBytes, least, "0", 0, "1Ti", undefined],
  }));
const likely = (refused: unknown, meaning: string): RuleRow[] => [
  {
    field: "spec.resources.limits.memory",
    refused,
    given: { "spec.resources": {} },
    message: meaning,
    accepted: ["512Mi", "512e6"],
  },
];
const withinLimit: Readonly<Record<string, string>> = {
  memory: 'memory: "1Gi" with limits.memory: "4Gi"',
  "ephemeral-storage": "1Gi with a limit of 2Gi",
  "hugepages-2Mi": "512Mi with a limit of 512Mi",
  "hugepages-1Gi": "1Gi with a limit of 1Gi",
};

/** Every rule of PostgresVDB but immutability, which takes an update. */
export const vdbRows: readonly RuleRow[] = [
  ...text(
    "metadata.name",
    ["1orders", "orders.eu", "o".repeat(64)],
    "must be at most 63 lower-case letters, digits and '-', beginning with a letter and ending with a letter or digit, for example my-postgres-vdb (the Service has the same name)",
    ["o", `o${"-".repeat(61)}1`],
  ),

  {
    field: "spec.source.reference",
    refused: "",
    message: "must be the name of the source, for example delphix-engine:production",
    accepted: ["e:d"],
  },
  ...["no-colon", ":production", "engine:", "engine:a\nb"].map((reference) => ({
    field: "spec.source",
    refused: source("dct-source", reference),
    at: "spec.source.reference",
    message: 'for type dct-source it must be "engine:name", for example "delphix-engine:production"',
    accepted: [source("dct-source", "e:d"), source("dct-source", "My Engine:Sales: 2026")],
  })),
  ...["Orders", "a/b/c", "/orders", "staging/"].map((reference) => ({
    field: "spec.source",
    refused: source("pvc-clone", reference),
    at: "spec.source.reference",
    message: 'for type pvc-clone it must be a claim\'s name or "namespace/name", for example "staging/orders-data"',
    accepted: [
      source("pvc-clone", "orders-data"),
      source("pvc-clone", "staging/orders.data"),
      source("pvc-clone", "orders", { namespace: "staging" }),
    ],
  })),
  ...["staging/orders", "Orders"].map((reference) => ({
    field: "spec.source",
    refused: source("k8s-snapshot", reference),
    at: "spec.source.reference",
    message:
      'for type k8s-snapshot it must be a VolumeSnapshot\'s name, for example "orders-monday"; put its namespace into source.namespace',
    accepted: [source("k8s-snapshot", "orders-monday", { namespace: "staging" })],
  })),
  ...["staging/orders", "orders_data"].map((reference) => ({
    field: "spec.source",
    refused: source("pvc-adopt", reference),
    at: "spec.source.reference",
    message: 'for type pvc-adopt it must be the name of a claim in the PostgresVDB\'s own namespace, for example "orders-data"',
    accepted: [source("pvc-adopt", "orders-data")],
  })),
  {
    field: "spec.source",
    refused: source("pvc-clone", "staging/orders", { namespace: "other" }),
    at: "spec.source.namespace",
    message: 'contradicts the namespace in source.reference: give it once, for example reference: "staging/orders-data" alone',
    accepted: [
      source("pvc-clone", "staging/orders", { namespace: "staging" }),
      // Whether it is the VDB's own no rule can see: the operator looks.
      source("dct-source", "delphix-engine:sales/2026", { namespace: "pg-operator" }),
      source("pvc-adopt", "orders", { namespace: "pg-operator" }),
    ],
  },
  {
    field: "spec.source",
    refused: source("k8s-snapshot", "orders", { namespace: "Staging" }),
    at: "spec.source.namespace",
    message: "must be lower-case letters, digits and '-', beginning and ending with a letter or digit, for example staging",
    accepted: [source("k8s-snapshot", "orders", { namespace: "s".repeat(63) })],
  },

  ...["spec.vdbGroupName", "spec.envName"].flatMap((field) =>
    text(
      field,
      ["", "a\tb"],
      `must be a name as DCT shows it, without control characters, for example ${field === "spec.envName" ? "dev-env" : "Untitled"}`,
      ["My Group / EU", "g".repeat(256)],
    ),
  ),
  ...whole("spec.port", 1024, 49_151, 5432),
  ...text("spec.image", ["", " postgres", "-postgres:16", "postgres 16"], "must be an image's name, for example postgres:16.2", [
    "postgres",
    "registry.example:5000/team/postgres:16.2@sha256:" + "0".repeat(64),
  ]),

  ...database("spec.database.name"),
  ...database("spec.database.user"),
  {
    field: "spec.database.password",
    refused: "1234567",
    given: { "spec.database.passwordSecretRef": undefined },
    message: "must be at least 8 characters, for example correct-horse",
    accepted: ["12345678"],
  },
  ...[{}, { password: "correct-horse", passwordSecretRef: "my-db-password" }].map((refused) => ({
    field: "spec.database",
    refused,
    message: "must have exactly one of password and passwordSecretRef, for example passwordSecretRef: my-db-password",
    accepted: [{ password: "correct-horse" }, { passwordSecretRef: "my-db-password" }],
  })),
  ...text(
    "spec.database.passwordSecretRef",
    ["", "My-Secret", "a_b", "-a"],
    "must be a Secret's name: lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit, for example my-db-password",
    ["s", "a.b-c"],
  ),
  ...text(
    "spec.database.user",
    ["pg_monitor", "public", "none"],
    "must not be a name that PostgreSQL reserves (pg_..., public, none), for example app",
    ["app", "pgbouncer"],
  ),
  ...text(
    "spec.database.name",
    ["template0", "template1"],
    "must not be one of PostgreSQL's templates (template0, template1), for example postgres",
    ["template2"],
  ),

  ...text(
    "spec.mountPath",
    ["mnt/postgres", "/", "/mnt/../etc", "/mnt/", "/mnt/a b"],
    "must be an absolute path without '..', for example /mnt/postgres",
    ["/d", "/mnt/postgres-16.2"],
  ),
  ...text(
    "spec.mountPath",
    ["/etc", "/tmp", "/dev/shm", "/proc/self", "/usr"],
    "must not hide a folder of the system or a folder that the operator mounts, for example /mnt/postgres",
    ["/var/lib/postgresql", "/etcetera"],
  ),
  ...text(
    "spec.dataDirectory",
    ["", "/pgdata", "pgdata/", "../data", "a/../b", ".hidden", "a b"],
    "must be a path in the volume without '..' and without a slash at its ends, or '.', for example pgdata",
    [".", "pgdata", "var/lib/16.2/data_1"],
  ),
  ...["spec.ownershipSpec", "spec.OwnershipSpec"].flatMap((field) => [
    ...text(
      field,
      ["999", "postgres:postgres", "0:0", ":999", "999:999:999"],
      "must be user id:group id, the user not 0, for example 999:999",
      ["1:0", "2147483647:2147483647"],
    ),
    ...text(field, ["2147483648:0", "1:2147483648"], "ids must be at most 2147483647, for example 999:999", ["26:26"]),
  ]),
  {
    field: "spec.OwnershipSpec",
    refused: "26:26",
    given: { "spec.ownershipSpec": "999:999" },
    message: 'contradicts ownershipSpec: give it once, for example ownershipSpec: "999:999"',
    accepted: ["999:999", undefined],
  },
  ...text(
    "spec.errorBackoffPeriod",
    ["", "30", "1d", "999ms", "0s", "24h1s", "-5s", "5 s"],
    "must be a duration in h, m, s or ms, from 1s to 24h, for example 30s",
    ["1s", "1000ms", "24h", "1h30m"],
  ),
  ...text(
    "spec.storageClassName",
    ["", "Fast", "a_b"],
    "must be a StorageClass's name: lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit, for example de-fs-storage",
    ["de-fs-storage", "a.b"],
  ),
  ...text(
    "spec.storageSize",
    ["", "ten", "10gb", 0, "0", "-1Gi", -1, "500m", "1Ki", 1_048_575],
    "must be a quantity of at least 1Mi, for example 10Gi",
    ["10Gi", "1Mi", 1_048_576, "0.5Gi"],
  ),
  {
    field: "spec.accessModes",
    refused: [],
    message: 'must have at least 1, for example ["ReadWriteOnce"]',
    accepted: [["ReadWriteOncePod"], ["ReadWriteOnce", "ReadWriteMany"]],
  },

  ...["requests", "limits"].flatMap((which) => [
    ...enough(`spec.resources.${which}.memory`, "32Mi", "1Gi", 33_554_432),
    ...enough(`spec.resources.${which}.ephemeral-storage`, "1Mi", "1Gi", 1_048_576),
    ...enough(`spec.resources.${which}.hugepages-2Mi`, "2Mi", "512Mi", 2_097_152),
    ...enough(`spec.resources.${which}.hugepages-1Gi`, "1Gi", "1Gi", 1_073_741_824),
  ]),
  ...likely("512m", "(m is for thousandths of a byte: did you mean 512Mi?)"),
  ...likely("512", "(without a unit it is bytes: did you mean 512Mi or 512Gi?)"),
  ...likely(4, "(without a unit it is bytes: did you mean 4Mi or 4Gi?)"),
  ...["memory", "ephemeral-storage", "hugepages-2Mi", "hugepages-1Gi"].map((name) => ({
    field: `spec.resources.requests.${name}`,
    refused: "3Gi",
    given: { [`spec.resources.limits.${name}`]: "2Gi" },
    message: `must not exceed limits.${name}, for example ${withinLimit[name] ?? ""}`,
    accepted: ["2Gi", "2048Mi", 2_147_483_648, undefined],
  })),

  ...text(
    "spec.postgresConfig[0].name",
    ["", "work mem", "1st", "work_mem;", "a.b.c", "a\nb"],
    "must be a setting's name: letters, digits and '_', with one '.' for an extension's, for example shared_buffers",
    ["DateStyle", "auto_explain.log_analyze", "a".repeat(63)],
  ),
  ...[
    ["listen_addresses", "localhost", "*", "'*'"],
    ["HBA_file", "/etc/hba"],
    ["archive_command", "cp %p /archive", "", "''"],
    ["archive_mode", "on", "off", "'OFF'"],
    ["unix_socket_directories", "/tmp", "/var/run/postgresql"],
    ["Max_logical_replication_workers", "4", "0"],
  ].map(([name = "", refused = "", ...accepted]) => ({
    field: "spec.postgresConfig[0]",
    at: "spec.postgresConfig[0].name",
    refused: { name, value: refused },
    message: `${name} is set by the operator: leave this entry out`,
    accepted: [{ name: "shared_buffers", value: "256MB" }, ...accepted.map((value) => ({ name, value }))],
  })),
  ...["port", "PORT"].map((name) => ({
    field: "spec.postgresConfig[0]",
    at: "spec.postgresConfig",
    refused: { name, value: "5432" },
    given: { "spec.port": 5493 },
    message: "spec.port sets the port: write it there, for example port: 5493",
    accepted: ["5493", "'5493'"].map((value) => ({ name, value })),
  })),
  {
    field: "spec.postgresConfig[0]",
    at: "spec.postgresConfig",
    refused: { name: "data_directory", value: "/var/lib/postgresql/data" },
    given: { "spec.mountPath": "/mnt/postgres" },
    message: "the data directory is spec.mountPath + /data: leave this entry out",
    accepted: ["/mnt/postgres/data", "'/mnt/postgres/data'"].map((value) => ({ name: "data_directory", value })),
  },
  ...text(
    "spec.postgresConfig[0].value",
    ["'", "'a", "a'b", "'a'b'", "''a''", "a\nb", "a\\b", "a\rb", "a\u0000b", "'a\nb'"],
    "must be one line without single quotes inside, backslashes and control characters (no quotes around it are needed), for example 256MB",
    ["", '"$user", public', "v".repeat(1024), "'256MB'", "''"],
  ),
  {
    field: "spec.postgresConfig",
    refused: [
      { name: "work_mem", value: "1MB" },
      { name: "Work_Mem", value: "2MB" },
    ],
    message:
      "must name each setting once: upper and lower case are the same, so shared_buffers and Shared_Buffers are one setting",
    accepted: [
      [
        { name: "work_mem", value: "1MB" },
        { name: "work_mem2", value: "2MB" },
      ],
    ],
  },

  ...text(
    "spec.hooks[0].name",
    ["", "Mask", "mask_it"],
    "must be lower-case letters, digits and '-', beginning and ending with a letter or digit, for example mask-emails",
    ["m", "m".repeat(63)],
  ),
  ...script("spec.hooks[0].script"),
  ...["labels", "annotations", "nodeSelector", "service.annotations"].flatMap((where) =>
    ["", "a b", "/team", "Example.com/team", "n".repeat(64)].map((name) => ({
      field: `spec.podTemplate.${where}`,
      refused: { [name]: "x" },
      message: "must have names as Kubernetes allows them, for example team or example.com/team",
      accepted: [{ team: "x", "example.com/Team_1": "x", ["n".repeat(63)]: "x" }, {}],
    })),
  ),
  ...["app.kubernetes.io/name", "app.kubernetes.io/instance", "pod-template-hash", "postgresvdb.core.delphix.com/content"].map(
    (name) => ({
      field: "spec.podTemplate.labels",
      refused: { [name]: "x" },
      message:
        "must not have what the operator owns: leave out app.kubernetes.io/name, app.kubernetes.io/instance, app.kubernetes.io/managed-by, pod-template-hash, postgresvdb.core.delphix.com/…",
      accepted: [{ "app.kubernetes.io/part-of": "x", "delphix.com/team": "x" }],
    }),
  ),
  ...["annotations", "service.annotations"].map((where) => ({
    field: `spec.podTemplate.${where}`,
    refused: { "postgresvdb.core.delphix.com/restarted-for": "x" },
    message: "must not have what the operator owns: leave out postgresvdb.core.delphix.com/…",
    accepted: [{ "app.kubernetes.io/name": "x" }],
  })),
  ...["labels", "nodeSelector"].flatMap((where) =>
    text(
      `spec.podTemplate.${where}.team`,
      ["a b", "-a", "ä"],
      "must be at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit, or empty, for example payments",
      ["", "A.b_c-1"],
    ).map((row) => ({ ...row, at: `spec.podTemplate.${where}[team]` })),
  ),
  ...[{ value: "databases" }, { key: "", value: "databases" }, { key: "dedicated", operator: "Exists", value: "databases" }].map(
    (refused) => ({
      field: "spec.podTemplate.tolerations[0]",
      refused,
      message:
        "must have a key with operator Equal, and no value with operator Exists, for example {key: dedicated, value: databases}",
      accepted: [
        { key: "dedicated", value: "databases" },
        { operator: "Exists" },
        { key: "a", operator: "Exists", effect: "NoExecute" },
      ],
    }),
  ),
  {
    field: "spec.podTemplate.tolerations[0].tolerationSeconds",
    refused: 300,
    given: { "spec.podTemplate.tolerations[0]": { key: "slow", operator: "Exists", effect: "NoSchedule" } },
    message: "needs effect NoExecute, for example {key: slow, operator: Exists, effect: NoExecute, tolerationSeconds: 300}",
    accepted: [undefined],
  },
  ...whole("spec.podTemplate.tolerations[0].tolerationSeconds", 0, 2_147_483_647, 300),
  ...text(
    "spec.podTemplate.priorityClassName",
    ["", "Databases", "a b"],
    "must be a PriorityClass's name: lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit, for example databases",
    ["system-cluster-critical"],
  ),
  ...text(
    "spec.tls.secretName",
    ["", "My-TLS", "a/b"],
    "must be a Secret's name: lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit, for example my-db-tls",
    ["orders.tls"],
  ),
  ...whole("spec.podTemplate.podDisruptionBudget.maxUnavailable", 0, 1, 0),
  ...whole("spec.snapshots.keep", 1, 1000, 7),
  ...text(
    "spec.snapshots.maxAge",
    ["", "7d", "59s", "87600h1s"],
    "must be a duration in h, m, s or ms, from 1m to 87600h, for example 168h",
    ["1m", "87600h", "1h30m", undefined],
  ),
  ...text(
    "spec.expiry.after",
    ["", "7d", "9m59s", "87600h1s"],
    "must be a duration in h, m, s or ms, from 10m to 87600h, for example 8h",
    ["10m", "87600h", "1h30m"],
  ),
  ...["", "tomorrow", "2026-01-31", "2026-01-31 18:00:00Z", "2026-02-31T18:00:00Z", "2026-01-31T18:00:00"].map((at) => ({
    field: "spec.expiry.at",
    refused: at,
    given: { "spec.expiry": { action: "Delete" } },
    message: "must be a moment by RFC 3339, for example 2026-01-31T18:00:00Z",
    accepted: ["2026-01-31T18:00:00Z", "2026-01-31T18:00:00.5+01:00"],
  })),
  ...[{ action: "Stop" }, { action: "Stop", after: "8h", at: "2026-01-31T18:00:00Z" }].map((refused) => ({
    field: "spec.expiry",
    refused,
    message: "must have one of after and at, for example {after: 8h, action: Stop}",
    accepted: [undefined, { action: "Stop", after: "8h" }, { action: "Delete", at: "2026-01-31T18:00:00Z" }],
  })),
  {
    field: "spec.expiry.from",
    refused: "LastRefresh",
    given: { "spec.expiry": { action: "Stop", at: "2026-01-31T18:00:00Z" } },
    message: "is for after alone: a moment counts from nothing",
    accepted: ["Creation", undefined],
  },
  {
    field: "spec.protected",
    refused: true,
    given: { "spec.expiry": { action: "Delete", after: "8h" } },
    message: "contradicts expiry.action: Delete: use expiry.action: Stop, or protected: false",
    accepted: [false, undefined],
  },
  ...["refresh", "snapshot"].flatMap((name) => [
    ...text(
      `spec.schedules.${name}.schedule`,
      ["", "0 3 * *", "0 3 * * * *", "0  3 * * *", "@every 1h", "TZ=UTC 0 3 * * *", "0 3 ? * *"],
      "must be five fields of a cron expression with one space between them, or a word such as @daily, for example 0 3 * * 1-5",
      ["0 3 * * 1-5", "*/5 0-6,22 1 JAN MON-FRI", "@hourly"],
    ),
    ...text(
      `spec.schedules.${name}.timeZone`,
      ["", "Europe/", "+01:00", "Europe Berlin"],
      "must be the name of a time zone, for example Europe/Berlin",
      ["UTC", "Etc/GMT+1", "America/Argentina/Buenos_Aires", undefined],
    ),
    ...whole(`spec.schedules.${name}.startingDeadlineSeconds`, 10, 31_536_000, 3600),
    ...whole(`spec.schedules.${name}.history`, 1, 100, 3),
    ...whole(`spec.schedules.${name}.deadlineSeconds`, 1, 604_800, 3600),
  ]),
  ...text(
    "spec.schedules.refresh.previousRetention",
    ["", "1d", "8760h1s"],
    "must be a duration in h, m, s or ms, from 0s to 8760h, for example 24h",
    ["0s", "8760h", undefined],
  ),
  ...snapshotRefRows("spec.schedules.refresh.snapshotRef"),
  ...database("spec.hooks[0].database"),
  ...whole("spec.hooks[0].timeoutSeconds", 1, 86_400, 300),
];

/** What a PostgresVDB that has its data may not become; one without may. */
const provisioned = { "status.delphixID": "1-APPDATA_CONTAINER-7" };
const asItWas = "is read only when the volume is created: keep the former value, or apply a new PostgresVDB";
const once = (field: string, refused: unknown, message = asItWas, accepted: readonly unknown[] = []): RuleRow => ({
  field,
  refused,
  message,
  accepted,
  given: provisioned,
});

export const vdbUpdateRows: readonly RuleRow[] = [
  { ...once("spec.source.reference", "delphix-engine:other", immutable), at: "spec.source" },
  { ...once("spec.source", source("pvc-adopt", "orders"), immutable), at: "spec.source" },
  once("spec.vdbGroupName", "another"),
  once("spec.vdbGroupName", undefined),
  once("spec.envName", "another"),
  once("spec.storageClassName", "another"),
  once("spec.storageSize", "11Gi"),
  once("spec.accessModes", ["ReadWriteMany"]),
  once(
    "spec.ownershipSpec",
    "70:70",
    "is read only when the volume is created, and the data keeps its owner: keep the former value, or apply a new PostgresVDB",
    [undefined],
  ),
];
