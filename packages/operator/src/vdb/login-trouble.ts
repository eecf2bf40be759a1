import type { PostgresVDB } from "@vdb/api";
import type { ServerState } from "../postgres/prepare.ts";

export interface LoginTrouble {
  readonly reason: "RoleNotFound" | "DatabaseNotFound";
  readonly message: string;
}

/** Pure: why nobody could log in to the database as the role that the manifest names, with what there is instead. */
export function loginTrouble(
  { user, name }: Pick<PostgresVDB["spec"]["database"], "user" | "name">,
  { roleExists, roleCanLogin, roleExpired, mayConnect, roles, databases }: ServerState,
): LoginTrouble | undefined {
  const role = (message: string): LoginTrouble => ({ reason: "RoleNotFound", message: `spec.database.user ${user} ${message}` });
  if (!roleExists) return role(`is no role of the data; its roles: ${listOf(roles)}`);
  if (!roleCanLogin) return role(`may not log in; those who may: ${listOf(roles)}`);
  if (!databases.includes(name))
    return {
      reason: "DatabaseNotFound",
      message: `spec.database.name ${name} is no database of the data; its databases: ${listOf(databases)}`,
    };
  const mend = "as a superuser by psql in the pod, or name another role";
  if (roleExpired)
    return role(`has a password that is no longer valid (VALID UNTIL has passed): ALTER ROLE … VALID UNTIL 'infinity' ${mend}`);
  if (!mayConnect) return role(`has no right CONNECT on database ${name}: GRANT CONNECT ON DATABASE … ${mend}`);
  return undefined;
}

/** Sorted by the server; a message must not grow without end. */
function listOf(names: readonly string[]): string {
  return names.length > 20 ? `${names.slice(0, 20).join(", ")} and ${names.length - 20} more` : names.join(", ");
}
