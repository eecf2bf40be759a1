import { dnsSubdomain, dnsSubdomainWords, subdomainLength } from "../fields/names.ts";
import { databaseName } from "../fields/script.ts";
import { schema, type TypeOf } from "../schema.ts";

/** The key that the Secret named by `passwordSecretRef` must have. */
export const passwordKey = "password";

export const database = schema({
  type: "object",
  description: "The database and the role that clients use. The source's data has to contain both.",
  required: [],
  properties: {
    name: { ...databaseName("The database that clients connect to."), default: "postgres" },
    user: {
      ...databaseName("The role that clients log in as. The operator sets its password to the one given here."),
      default: "postgres",
    },
    password: {
      type: "string",
      description:
        "The role's password in clear text, for trials only: everybody who may read the object can read it. Excludes passwordSecretRef.",
      minLength: 8,
      maxLength: 1024,
      secret: true,
      allowed: "at least 8 characters",
      example: "correct-horse",
    },
    passwordSecretRef: {
      type: "string",
      description: `The name of an Opaque Secret in the same namespace. Its key "${passwordKey}" contains the role's password (8 characters or more). Excludes password.`,
      maxLength: subdomainLength,
      pattern: dnsSubdomain,
      allowed: `a Secret's name: ${dnsSubdomainWords}`,
      example: "my-db-password",
    },
    lockOtherRoles: {
      type: "boolean",
      description:
        "Whether every other role of the source loses its login (NOLOGIN) when new data comes, before hooks run. The superuser that the operator works as keeps it on the pod's local socket alone: it loses its password. false: all roles keep their passwords.",
      default: false,
    },
  },
  rules: [
    {
      rule: "has(self.password) != has(self.passwordSecretRef)",
      message: "must have exactly one of password and passwordSecretRef, for example passwordSecretRef: my-db-password",
    },
    {
      rule: "!self.user.startsWith('pg_') && !(self.user in ['public', 'none'])",
      fieldPath: ".user",
      message: "must not be a name that PostgreSQL reserves (pg_..., public, none), for example app",
    },
    {
      rule: "!(self.name in ['template0', 'template1'])",
      fieldPath: ".name",
      message: "must not be one of PostgreSQL's templates (template0, template1), for example postgres",
    },
  ],
});
export type VdbDatabase = TypeOf<typeof database>;
