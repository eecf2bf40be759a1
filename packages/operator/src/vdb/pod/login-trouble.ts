import type { PostgresVDB } from "@vdb/api";
import type { KnownRole, ServerState, SessionSetting } from "../../postgres/prepare.ts";

export interface LoginTrouble {
  readonly reason: "RoleNotFound" | "DatabaseNotFound" | "LoginFailed" | "SuperuserNotFound";
  readonly message: string;
}

interface Place {
  readonly metadata: Pick<PostgresVDB["metadata"], "name" | "namespace">;
  readonly spec: { readonly database: Pick<PostgresVDB["spec"]["database"], "user" | "name"> };
}

/** Pure: why nobody could log in to the database as the role that the manifest names, with what there is instead. */
export function loginTrouble(vdb: Place, state: ServerState): LoginTrouble | undefined {
  const { user, name } = vdb.spec.database;
  const { roleExists, roleCanLogin, roleExpired, mayConnect, databaseExists, roles, databases } = state;
  const role = (message: string): LoginTrouble => ({ reason: "RoleNotFound", message: `spec.database.user ${user} ${message}` });
  if (!roleExists) return role(`does not exist in the data; its roles: ${listOf(roles)}`);
  if (!roleCanLogin) return role(`may not log in; roles that may: ${listOf(roles)}`);
  if (!databaseExists)
    return {
      reason: "DatabaseNotFound",
      message: `spec.database.name ${name} does not exist in the data; its databases: ${listOf(databases)}`,
    };
  const mend = "as a superuser with psql in the pod, or name another role";
  if (roleExpired) return role(`has a password whose VALID UNTIL has passed: run ALTER ROLE … VALID UNTIL 'infinity' ${mend}`);
  if (!mayConnect) return role(`lacks the right CONNECT on database ${name}: run GRANT CONNECT ON DATABASE … ${mend}`);
  return state.loginFailure === "" || state.full ? undefined : failedLogin(vdb, state);
}

/** It has all rights, and the server still ends its session. */
function failedLogin(vdb: Place, state: ServerState): LoginTrouble {
  const { user, name } = vdb.spec.database;
  const { loginFailure, sessionSettings, databases } = state;
  const what = `spec.database.user ${user} cannot open a session in database ${name}: ${oneLine(loginFailure)}`;
  const culprits = sessionSettings.filter((setting) => isToBlame(setting, loginFailure));
  const others = databases.filter((other) => other !== name);
  const cures = [
    ...culprits.map((setting) => cureOf(setting)),
    ...(culprits.length === 0 && ofLocale.test(loginFailure) ? [`set spec.image to an image that has this locale`] : []),
  ];
  const cure = cures.length > 0 ? cures.join("; ") : "do what the error says";
  const choice = others.length > 0 ? `, or name another database: ${listOf(others)}` : "";
  return {
    reason: "LoginFailed",
    message: `${what}. To fix it: ${cure}${choice}. A superuser gets in with: ${wayIn(vdb, state)}`,
  };
}

const ofLocale = /locale|collation|encoding|\bICU\b/iu;

/** A library that is not there, or any setting whose value the server names. */
function isToBlame({ name, value }: SessionSetting, failure: string): boolean {
  const parts = value.split(/[\s,"']+/u).filter((part) => part.length > 1);
  return failure.includes(`"${name}"`) || (name.endsWith("_preload_libraries") && parts.some((part) => failure.includes(part)));
}

const cureOf = ({ scope, name, value }: SessionSetting): string =>
  scope === ""
    ? `remove ${name} = ${value} from the server's settings (spec.postgresConfig wins over the source's)`
    : `${name} is set to ${value}: run ${scope} RESET ${name}`;

/** Nothing that is set for a role or a database keeps it out. */
function wayIn({ metadata: { name, namespace } }: Place, { superuser, superuserDatabase, version }: ServerState): string {
  const triggers = Number.parseInt(version, 10) >= 17 ? " -cevent_triggers=off" : "";
  const options = `"PGOPTIONS=-csession_preload_libraries= -clocal_preload_libraries= -crole=none -cdefault_transaction_read_only=off${triggers}"`;
  return `kubectl exec -it -n ${namespace} deploy/${name} -- env ${options} psql -U "${superuser}" -d "${superuserDatabase}"`;
}

/** Pure: the server answers, but lets no superuser in: what keeps each of them out, or that there is none. */
export function lockedOut(vdb: Place, message: string, roles: readonly KnownRole[]): LoginTrouble {
  const { user } = vdb.spec.database;
  const superusers = roles.filter(({ superuser }) => superuser);
  const able = superusers.filter(({ canLogin }) => canLogin);
  const others = named(roles.filter(({ superuser, canLogin }) => canLogin && !superuser));
  if (superusers.length > 0 && able.length === 0)
    return {
      reason: "SuperuserNotFound",
      message:
        `the operator needs a superuser that may log in, and the data has none: ${named(superusers)} may not (NOLOGIN)` +
        `${others === "" ? "" : `; the other roles that may log in: ${others}`}. ` +
        "Run ALTER ROLE … LOGIN in the source, then delete this PostgresVDB and apply it again when the source has a newer snapshot",
    };
  if (roles.length === 0 && onlyRolesMissing(message))
    return {
      reason: "RoleNotFound",
      message: `neither spec.database.user ${user} nor postgres is a role of the data that may log in: name a role that may`,
    };
  const cure = ofLocale.test(message) ? "set spec.image to an image that has this locale" : "do what the error says";
  return {
    reason: "LoginFailed",
    message: `no superuser can open a session${able.length > 0 ? ` (tried: ${named(able)})` : ""}: ${oneLine(message)}. To fix it: ${cure}`,
  };
}

const named = (roles: readonly KnownRole[]): string => listOf([...new Set(roles.map(({ name }) => name))]);

const onlyRolesMissing = (message: string): boolean =>
  message.split("\n").every((line) => /role ".*" (?:does not exist|is not permitted to log in)/u.test(line));

const oneLine = (text: string): string =>
  text
    .split("\n")
    .map((line) => line.trim().replace(/\.$/u, ""))
    .join("; ")
    .slice(0, 600);

/** Sorted by the server; a message must not grow without end. */
function listOf(names: readonly string[]): string {
  return names.length > 20 ? `${names.slice(0, 20).join(", ")} and ${names.length - 20} more` : names.join(", ");
}
