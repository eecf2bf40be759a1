import { deepEqual, match } from "node:assert/strict";
import { test } from "node:test";
import type { ServerState } from "../postgres/prepare.ts";
import { loginTrouble } from "./login-trouble.ts";

const fine: ServerState = {
  roleExists: true,
  roleCanLogin: true,
  roleExpired: false,
  mayConnect: true,
  roles: ["app", "owner"],
  databases: ["orders", "postgres"],
  pendingRestart: [],
  pendingElsewhere: [],
  loaded: true,
  dropped: [],
  preparedTransactions: [],
  setAside: "",
  version: "16.2",
};

const rows: { name: string; given: Partial<ServerState>; reason: string; says: RegExp }[] = [
  { name: "no such role", given: { roleExists: false }, reason: "RoleNotFound", says: /app is no role.*app, owner/u },
  { name: "a role for groups", given: { roleCanLogin: false }, reason: "RoleNotFound", says: /may not log in/u },
  { name: "an expired password", given: { roleExpired: true }, reason: "RoleNotFound", says: /VALID UNTIL 'infinity'/u },
  { name: "no right to connect", given: { mayConnect: false }, reason: "RoleNotFound", says: /GRANT CONNECT ON DATABASE/u },
  { name: "no such database", given: { databases: ["other"] }, reason: "DatabaseNotFound", says: /orders is no.*other/u },
];
for (const { name, given, reason, says } of rows)
  test(`loginTrouble: ${name} is told with what to do`, () => {
    const trouble = loginTrouble({ user: "app", name: "orders" }, { ...fine, ...given });
    deepEqual(trouble?.reason, reason);
    match(trouble?.message ?? "", says);
  });

test("loginTrouble: none where a client gets in", () =>
  deepEqual(loginTrouble({ user: "app", name: "orders" }, fine), undefined));
