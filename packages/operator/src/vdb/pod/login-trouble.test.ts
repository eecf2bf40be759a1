import { deepEqual, doesNotMatch, match } from "node:assert/strict";
import { test } from "node:test";
import type { ServerState } from "../../postgres/prepare.ts";
import { lockedOut, loginTrouble } from "./login-trouble.ts";

const fine: ServerState = {
  roleExists: true,
  roleCanLogin: true,
  roleExpired: false,
  mayConnect: true,
  roles: ["app", "owner"],
  superuser: "postgres",
  superuserDatabase: "postgres",
  databases: ["orders", "postgres"],
  databaseExists: true,
  loginFailure: "",
  full: false,
  sessionSettings: [],
  pendingRestart: [],
  pendingElsewhere: [],
  loaded: true,
  dropped: [],
  preparedTransactions: [],
  setAside: "",
  isStandby: false,
  needsWriting: false,
  version: "16.2",
  inside: { told: [], unseen: [] },
};

const vdb = { metadata: { namespace: "shop", name: "my-vdb" }, spec: { database: { user: "app", name: "orders" } } };

const rows: { name: string; given: Partial<ServerState>; reason: string; says: RegExp }[] = [
  {
    name: "no such role",
    given: { roleExists: false },
    reason: "RoleNotFound",
    says: /app does not exist in the data; its roles: app, owner/u,
  },
  { name: "a role for groups", given: { roleCanLogin: false }, reason: "RoleNotFound", says: /may not log in/u },
  { name: "an expired password", given: { roleExpired: true }, reason: "RoleNotFound", says: /VALID UNTIL 'infinity'/u },
  { name: "no right to connect", given: { mayConnect: false }, reason: "RoleNotFound", says: /GRANT CONNECT ON DATABASE/u },
  {
    name: "no such database",
    given: { databaseExists: false, databases: ["other"] },
    reason: "DatabaseNotFound",
    says: /orders does not exist in the data; its databases: other/u,
  },
];
for (const { name, given, reason, says } of rows)
  test(`loginTrouble: ${name} is told with what to do`, () => {
    const trouble = loginTrouble(vdb, { ...fine, ...given });
    deepEqual(trouble?.reason, reason);
    match(trouble?.message ?? "", says);
  });

test("loginTrouble: none where a client gets in", () => deepEqual(loginTrouble(vdb, fine), undefined));

const absent = { loginFailure: 'FATAL:  could not access file "absent": No such file or directory' };
const preload = { name: "session_preload_libraries", value: "absent" };
const harmless = { name: "work_mem", value: "4MB", scope: "ALTER ROLE app" };

test("loginTrouble: what was set for the role or the database is named with the statement that takes it back", () => {
  const { reason, message } = loginTrouble(vdb, {
    ...fine,
    ...absent,
    sessionSettings: [harmless, { ...preload, scope: "ALTER ROLE app IN DATABASE orders" }],
  }) ?? { reason: "", message: "" };
  deepEqual(reason, "LoginFailed");
  match(
    message,
    /user app cannot open a session in database orders: .*"absent".*ALTER ROLE app IN DATABASE orders RESET session_/u,
  );
  match(message, /kubectl exec -it -n shop deploy\/my-vdb -- env "PGOPTIONS=-csession_preload_libraries= .*psql -U "postgres"/u);
  doesNotMatch(message, /work_mem/u);
  const fromFile = loginTrouble(vdb, { ...fine, ...absent, sessionSettings: [{ ...preload, scope: "" }] });
  match(fromFile?.message ?? "", /spec\.postgresConfig/u);
});

test("loginTrouble: a locale that the image lacks asks for another image or database", () => {
  const loginFailure = 'FATAL:  database locale is incompatible with operating system\nDETAIL:  … LC_COLLATE "xx_YY" …';
  const trouble = loginTrouble(vdb, { ...fine, loginFailure });
  match(trouble?.message ?? "", /LC_COLLATE "xx_YY".*spec\.image.*another database: postgres\./u);
});

test("loginTrouble: a session too many, where others have one, is no trouble", () =>
  deepEqual(loginTrouble(vdb, { ...fine, loginFailure: "FATAL:  too many connections for role", full: true }), undefined));

const known = (name: string, superuser: boolean, canLogin: boolean) => ({ name, superuser, canLogin });
const missing = 'FATAL:  role "postgres" does not exist';

test("lockedOut: no superuser that may log in, none known, or one that the server refuses", () => {
  const none = lockedOut(vdb, missing, [known("root", true, false), known("app", false, true), known("group", false, false)]);
  deepEqual(none.reason, "SuperuserNotFound");
  match(none.message, /root may not \(NOLOGIN\); the other roles that may log in: app\. /u);
  deepEqual(lockedOut(vdb, missing, []).reason, "RoleNotFound");
  const locale = lockedOut(vdb, "FATAL:  database locale is incompatible", [known("root", true, true)]);
  deepEqual(locale.reason, "LoginFailed");
  match(locale.message, /tried: root.*spec\.image/u);
});
