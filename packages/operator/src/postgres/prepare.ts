import type { ExecResult } from "kube-runtime";
import { type DatabasesTold, databasesTold, passing } from "./databases-told.ts";
import { prepareScript } from "./generated/prepare-script.ts";
import { plainWords } from "./plain-words.ts";
import { type Statements, statements } from "./prepare-statements.ts";

export interface Preparation extends Statements {
  /** The texts of pg_hba.conf and settings.conf as they shall be in force. */
  readonly hba: string;
  readonly settings: string;
  readonly role: string;
  /** The one that the role shall be able to use. */
  readonly database: string;
}

export interface SessionSetting {
  readonly name: string;
  readonly value: string;
  /** `ALTER ROLE app`: the beginning of the statement that sets and resets it. Empty: a file of the server's. */
  readonly scope: string;
}

/** A role, as it is known where no superuser gets in. */
export interface KnownRole {
  readonly name: string;
  readonly superuser: boolean;
  readonly canLogin: boolean;
}

/** The state of the server after the preparation. */
export interface ServerState {
  readonly roleExists: boolean;
  readonly roleCanLogin: boolean;
  /** The role's password is past its VALID UNTIL: the server refuses it. */
  readonly roleExpired: boolean;
  /** Whom it was asked as, and in which database: somebody can get in so. */
  readonly superuser: string;
  readonly superuserDatabase: string;
  /** The role has the right CONNECT on the database, if both are there. */
  readonly mayConnect: boolean;
  /** Those that may log in, sorted. */
  readonly roles: readonly string[];
  /** Those one can connect to, sorted. */
  readonly databases: readonly string[];
  /** Whether it is there at all. */
  readonly databaseExists: boolean;
  /** What the server said when the role opened a session in the database as any client would. Empty: it could. */
  readonly loginFailure: string;
  /** No session could be opened because as many are open as may be: the failure means nothing. */
  readonly full: boolean;
  /** What is set for sessions of the role in the database. */
  readonly sessionSettings: readonly SessionSetting[];
  /** Settings of the manifest that are in force only after a restart, sorted. */
  readonly pendingRestart: readonly string[];
  /** The same of settings that somebody changed in the database itself, by ALTER SYSTEM. */
  readonly pendingElsewhere: readonly string[];
  /** False while the server has not read its files yet. */
  readonly loaded: boolean;
  /** Settings of the source that were left out, sorted. */
  readonly dropped: readonly string[];
  /** Those that came with the copy and are still open, oldest first; at most 20. */
  readonly preparedTransactions: readonly PreparedTransaction[];
  /** Why the start script set aside the settings of ALTER SYSTEM, in PostgreSQL's words; empty if it did not. */
  readonly setAside: string;
  /** It is read-only: it follows WAL, of which no more comes. */
  readonly isStandby: boolean;
  /** It is so, and the role's password or its right to log in is not as wanted. */
  readonly needsWriting: boolean;
  /** `16.2`. */
  readonly version: string;
  /** Empty unless it was asked for. */
  readonly inside: DatabasesTold;
}

/** Prepared for a commit in two phases, at the source. `since` as `2026-01-01T00:00:00Z`. */
export interface PreparedTransaction {
  readonly gid: string;
  readonly owner: string;
  readonly database: string;
  readonly since: string;
}

export type PreparationResult =
  | { readonly kind: "answer"; readonly state: ServerState }
  | { readonly kind: "settingRefused" | "sqlFailed" | "unreachable"; readonly message: string }
  /** The server answers, but lets no superuser in. `roles`: as far as they can be known, in the order of their creation. */
  | { readonly kind: "lockedOut"; readonly message: string; readonly roles: readonly KnownRole[] };

/** The command for `pods/exec`, and what goes to its standard input: a verifier is in no process list. */
export function preparationCommand(preparation: Preparation): { readonly command: readonly string[]; readonly stdin: string } {
  const { hba, settings, role, database } = preparation;
  return { command: ["/bin/sh", "-c", prepareScript, "prepare", hba, settings, role, database], stdin: statements(preparation) };
}

/** What the command's end means. */
export function preparationResult({
  exitCode,
  stdout,
  stderr,
}: Pick<ExecResult, "exitCode" | "stdout" | "stderr">): PreparationResult {
  const message = plainWords(stderr);
  switch (exitCode) {
    case 0:
      return answerOf(stdout);
    case 10:
      return { kind: "settingRefused", message };
    case 2:
      return { kind: "unreachable", message };
    case 12:
      return passing.test(message)
        ? { kind: "unreachable", message }
        : { kind: "lockedOut", message: withoutGuesses(message), roles: decodeRoles(stdout) };
    default:
      return { kind: "sqlFailed", message: message === "" ? `the command ended with exit code ${exitCode}` : message };
  }
}

function answerOf(stdout: string): PreparationResult {
  const state = decodeState(stdout);
  const passes = state.inside.unseen.find(({ isPassing }) => isPassing);
  if (passes === undefined) return { kind: "answer", state };
  return { kind: "unreachable", message: `database ${passes.database}: ${passes.message}` };
}

/** What was said of roles that were tried on the chance, unless nothing else was said. */
function withoutGuesses(message: string): string {
  const lines = message.split("\n");
  const said = lines.filter(
    (line) => !/role ".*" (?:does not exist|is not permitted to log in)|permission denied to set/u.test(line),
  );
  return (said.length > 0 ? said : lines).join("\n");
}

function decodeRoles(stdout: string): readonly KnownRole[] {
  return [...stdout.matchAll(/^([01])([01]) (.+)$/gmu)].map(([, superuser, canLogin, name = ""]) => ({
    name,
    superuser: superuser === "1",
    canLogin: canLogin === "1",
  }));
}

function decodeState(stdout: string): ServerState {
  const lines = stdout.trim().split("\n");
  const said = lines.filter((line) => line.startsWith("login: "));
  const answer: unknown = JSON.parse(lines.findLast((line) => line.startsWith("{")) ?? "");
  if (typeof answer !== "object" || answer === null) throw new TypeError("the server's answer is not a JSON object");
  const fields = new Map<string, unknown>(Object.entries(answer));
  const truth = (name: string): boolean => fields.get(name) === true;
  const names = (name: string): readonly string[] => {
    const list = fields.get(name);
    return Array.isArray(list) ? list.map(String) : [];
  };
  const setAside = fields.get("setAside");
  return {
    roleExists: truth("roleExists"),
    roleCanLogin: truth("roleCanLogin"),
    roleExpired: truth("roleExpired"),
    superuser: String(fields.get("superuser")),
    superuserDatabase: String(fields.get("superuserDatabase")),
    databaseExists: truth("databaseExists"),
    loginFailure: plainWords(said.map((line) => line.slice("login: ".length)).join("\n")),
    full: truth("full"),
    sessionSettings: decodeSettings(fields.get("sessionSettings")),
    mayConnect: truth("mayConnect"),
    roles: names("roles"),
    databases: names("databases"),
    pendingRestart: names("pendingRestart"),
    pendingElsewhere: names("pendingElsewhere"),
    loaded: truth("loaded"),
    dropped: names("dropped"),
    preparedTransactions: preparedTransactionsOf(fields.get("preparedTransactions")),
    setAside: typeof setAside === "string" ? setAside : "",
    isStandby: truth("isStandby"),
    needsWriting: truth("needsWriting"),
    version: String(fields.get("version")),
    inside: databasesTold(lines),
  };
}

function preparedTransactionsOf(list: unknown): readonly PreparedTransaction[] {
  return (Array.isArray(list) ? list : []).map((one: unknown) => {
    const fields = new Map<string, unknown>(Object.entries(one ?? {}));
    const text = (name: string): string => String(fields.get(name));
    return { gid: text("gid"), owner: text("owner"), database: text("database"), since: text("since") };
  });
}

function decodeSettings(list: unknown): readonly SessionSetting[] {
  if (!Array.isArray(list)) return [];
  return list.map((entry: unknown) => {
    const fields = new Map<string, unknown>(Object.entries(typeof entry === "object" && entry !== null ? entry : {}));
    return { name: String(fields.get("name")), value: String(fields.get("value")), scope: String(fields.get("scope")) };
  });
}
