import { durationField } from "../fields/duration.ts";
import { dnsSubdomain, dnsSubdomainWords, subdomainLength } from "../fields/names.ts";
import { schema, type TypeOf } from "../schema.ts";
import { database } from "./database.ts";
import { expiry } from "./expiry.ts";
import { hooks } from "./hooks.ts";
import { hygiene } from "./hygiene.ts";
import { podTemplate } from "./pod-template.ts";
import { leastStorage, resources } from "./resources.ts";
import { schedules } from "./schedules.ts";
import { postgresConfig, settingsOfSpec } from "./settings.ts";
import { snapshots } from "./snapshots.ts";
import { source } from "./source.ts";
import { tls } from "./tls.ts";

/** The user and group of the official image's postgres, in force where the manifest names none. */
export const defaultOwnership = "999:999";

const ownership = {
  type: "string",
  maxLength: 21,
  pattern: "^[1-9][0-9]{0,9}:[0-9]{1,10}$",
  allowed: "user id:group id, the user not 0",
  example: defaultOwnership,
  rules: [
    {
      rule: "!self.matches('^[0-9]{1,10}:[0-9]{1,10}$') || self.split(':').all(id, int(id) <= 2147483647)",
      message: "ids must be at most 2147483647, for example 999:999",
    },
  ],
} as const;

/** Folders of the container that the database's volume must not hide. */
const systemFolders = [
  "bin",
  "boot",
  "dev",
  "etc",
  "home",
  "lib",
  "lib64",
  "proc",
  "root",
  "run",
  "sbin",
  "sys",
  "tmp",
  "usr",
  "var",
];

const dctName = (description: string, example: string) =>
  schema({
    type: "string",
    description,
    maxLength: 256,
    pattern: "^[^\\x00-\\x1f\\x7f]+$",
    allowed: "a name as DCT shows it, without control characters",
    example,
  });

export const postgresVdbSpec = schema({
  type: "object",
  description: "The desired state of the database.",
  required: ["source", "database"],
  properties: {
    source,
    vdbGroupName: dctName("The DCT dataset group of the VDB. It has to exist. Left out: the configured default.", "Untitled"),
    envName: dctName(
      "The DCT environment of the VDB. Left out: the configured default, or the engine's only one. For pvc-clone and pvc-adopt: the claim's own.",
      "dev-env",
    ),
    port: {
      type: "integer",
      format: "int32",
      description: "The port of the database's Service, and of PostgreSQL in the pod.",
      minimum: 1024,
      maximum: 49_151,
      default: 5432,
      example: 5432,
    },
    image: {
      type: "string",
      description:
        "The container image with PostgreSQL of the data's major version. Left out: the operator's image for that major version. The operator refuses another major version; the data stays untouched.",
      maxLength: 512,
      pattern: "^[a-zA-Z0-9][a-zA-Z0-9._:/@-]*$",
      allowed: "an image's name",
      example: "postgres:16.2",
    },
    mode: {
      type: "string",
      description:
        "Primary: read and write. Standby: read-only for everybody, once its hooks have run; it follows no other server. Changing it restarts the database.",
      enum: ["Primary", "Standby"],
      default: "Primary",
    },
    enabled: {
      type: "boolean",
      description: "false stops the database and keeps its data (phase Stopped); true starts it again.",
      default: true,
    },
    database,
    mountPath: {
      type: "string",
      description:
        "Where the container mounts the volume. The data directory is a folder below it: for dct-source data, else see dataDirectory.",
      maxLength: 255,
      default: "/mnt/postgres",
      pattern: "^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$",
      allowed: "an absolute path without '..'",
      example: "/mnt/postgres",
      rules: [
        {
          rule: `!self.matches('^/(${systemFolders.join("|")})$') && !self.matches('^/(dev|proc|sys|bin|sbin|lib|lib64|tmp)/')`,
          message: "must not hide a folder of the system or a folder that the operator mounts, for example /mnt/postgres",
        },
      ],
    },
    dataDirectory: {
      type: "string",
      description:
        "The folder of PostgreSQL's data directory in the volume; a dot: the volume itself. Left out: for dct-source the folder data, else the only data directory in the volume.",
      maxLength: 255,
      pattern: "^(\\.|[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*)$",
      allowed: "a path in the volume without '..' and without a slash at its ends, or '.'",
      example: "pgdata",
    },
    ownershipSpec: {
      ...ownership,
      description: `The numeric user and group, user:group, that own the data and run PostgreSQL. Left out: ${defaultOwnership}, the official image's postgres.`,
    },
    OwnershipSpec: {
      ...ownership,
      description: "Another spelling of ownershipSpec. If both are given, they must be equal.",
    },
    errorBackoffPeriod: durationField({
      description: "How long the operator waits after an error before it tries again, where no watch reports a change.",
      default: "30s",
      minimum: "1s",
      maximum: "24h",
      example: "30s",
    }),
    storageClassName: {
      type: "string",
      description:
        "The StorageClass of the volume. Left out: for dct-source the configured default, else the class of the source's volume.",
      maxLength: subdomainLength,
      pattern: dnsSubdomain,
      allowed: `a StorageClass's name: ${dnsSubdomainWords}`,
      example: "de-fs-storage",
    },
    storageSize: {
      quantity: "positive",
      least: leastStorage,
      description: "The size of the volume. Left out: the source's, rounded up to whole GiB.",
      example: "10Gi",
    },
    accessModes: {
      type: "array",
      description: "The access modes of the volume's claim.",
      listType: "set",
      minItems: 1,
      maxItems: 3,
      default: ["ReadWriteOnce"],
      items: {
        type: "string",
        description: "One access mode, for example ReadWriteOnce.",
        enum: ["ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany"],
      },
    },
    deletionPolicy: {
      type: "string",
      description:
        "What happens to the data when the PostgresVDB is deleted. Delete: the claim and the DCT VDB are deleted too. Retain: both stay.",
      enum: ["Delete", "Retain"],
      default: "Delete",
    },
    protected: {
      type: "boolean",
      description:
        "true: nobody can delete this PostgresVDB, its claim or its namespace, and the operator deletes no data of it. To delete it, set false first.",
      default: false,
    },
    expiry,
    resources,
    postgresConfig,
    hooks,
    hygiene,
    snapshots,
    schedules,
    podTemplate,
    tls,
  },
  rules: [
    {
      rule: "!has(self.ownershipSpec) || !has(self.OwnershipSpec) || self.ownershipSpec == self.OwnershipSpec",
      fieldPath: ".OwnershipSpec",
      message: 'contradicts ownershipSpec: give it once, for example ownershipSpec: "999:999"',
    },
    {
      rule: "!self.protected || !has(self.expiry) || self.expiry.action != 'Delete'",
      fieldPath: ".protected",
      message: "contradicts expiry.action: Delete: use expiry.action: Stop, or protected: false",
    },
    ...settingsOfSpec,
  ],
});
export type PostgresVDBSpec = TypeOf<typeof postgresVdbSpec>;

/** The numeric owner that a spec means, whichever spelling it uses. */
export function ownershipOf({ ownershipSpec, OwnershipSpec }: PostgresVDBSpec): { readonly uid: number; readonly gid: number } {
  const [uid = "", gid = ""] = (ownershipSpec ?? OwnershipSpec ?? defaultOwnership).split(":");
  return { uid: Number(uid), gid: Number(gid) };
}
