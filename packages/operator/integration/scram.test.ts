/** Our SCRAM verifiers beside PostgreSQL's own, for passwords of every kind. */
import { equal, match } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as fc from "fast-check";
import { isFullTier, testSeed } from "kube-runtime/testing";
import { saltFor, scramVerifier } from "../src/postgres/scram.ts";
import { newCluster, type Pod, programs, scratch, startPod } from "./testing/postgres.ts";

const folder = scratch();
let pod: Pod | undefined;
const server = (): Pod => {
  if (pod === undefined) throw new Error("the server did not start");
  return pod;
};

/** The verifiers that the server itself makes of these passwords. */
function serverVerifiers(passwords: readonly string[]): readonly string[] {
  const statements = passwords.flatMap((password) => [
    `ALTER ROLE probe PASSWORD '${password.replaceAll("'", "''")}';`,
    "SELECT rolpassword FROM pg_authid WHERE rolname = 'probe';",
  ]);
  return server().sql(statements.join("\n")).split("\n");
}

function equalVerifiers(passwords: readonly string[]): void {
  const theirs = serverVerifiers(passwords);
  equal(theirs.length, passwords.length);
  for (const [index, password] of passwords.entries()) {
    const [, iterations = "", salt = ""] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/u.exec(theirs[index] ?? "") ?? [];
    equal(scramVerifier(password, Buffer.from(salt, "base64"), Number(iterations)), theirs[index], JSON.stringify(password));
  }
}

describe("SCRAM verifiers", { timeout: 600_000 }, () => {
  before(async () => {
    newCluster(folder.path);
    pod = await startPod(folder.path, { contentId: "scram" });
    await pod.answers();
    pod.sql("CREATE ROLE probe LOGIN");
  });
  after(async () => {
    await pod?.stop();
    folder[Symbol.dispose]();
  });

  test("equal the server's own, at the corners of SASLprep", () => {
    equalVerifiers([
      "correct horse battery staple",
      "quote ' and backslash \\ and $ and :",
      "tab\tand newline\nin ASCII", // ASCII is not prepared at all
      "I\u00ADX", // soft hyphen: mapped to nothing
      "\u00AA", // NFKC: a
      "\u2168", // NFKC: IX
      "ni\u00A0no", // no-break space: a space
      "\u0627\u0031", // bidirectional, refused by the RFC: used as it is
      "\u0627\u0031\u0628",
      "\u00AD", // nothing is left of it: used as it is
      "\u0007é", // a control character: used as it is
      "\u{1F600} emoji, unassigned in Unicode 3.2",
      "\uFDD0 not a character",
      "Zürich \u212B e\u0301",
      "パスワード",
      "\u0221",
    ]);
  });

  test("equal the server's own for random passwords", () => {
    console.log(`seed ${testSeed}`);
    const size = isFullTier ? 2000 : 150;
    const password = fc.oneof(
      fc.string({ unit: "binary", minLength: 1, maxLength: 12 }),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
    );
    const usable = fc
      .sample(password, { seed: testSeed, numRuns: size })
      .filter((one) => !/[\0\uFEFF]/u.test(one) && one.isWellFormed());
    equalVerifiers(usable);
  });

  test("a role whose verifier was set can log in with the password over the network, and not with another", () => {
    const secret = "Pässwörd \u2168 '\\";
    server().sql(`ALTER ROLE probe PASSWORD '${scramVerifier(secret, saltFor("a vdb"))}'`);
    const login = (password: string): string =>
      execFileSync(
        join(programs, "psql"),
        ["-h", "127.0.0.1", "-p", String(server().port), "-U", "probe", "-d", "postgres", "-XAtqc", "SELECT current_user"],
        { env: { PGPASSWORD: password }, encoding: "utf8", stdio: "pipe" },
      ).trim();
    equal(login(secret), "probe");
    let refusal = "";
    try {
      login("another password");
    } catch (error) {
      refusal = String(error);
    }
    match(refusal, /password authentication failed/u);
  });
});
