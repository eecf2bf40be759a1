import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { saslPrepare } from "./saslprep.ts";

/** PostgreSQL's own default of scram_iterations. */
const defaultIterations = 4096;
const saltBytes = 16;

/**
 * A password as PostgreSQL stores it (RFC 5803, `pg_authid.rolpassword`). Sent instead of the password, so that the clear text
 * reaches neither the server's log nor its statistics.
 */
export function scramVerifier(password: string, salt: Buffer, iterations = defaultIterations): string {
  const salted = pbkdf2Sync(saslPrepare(password), salt, iterations, 32, "sha256");
  const storedKey = createHash("sha256").update(hmac(salted, "Client Key")).digest();
  const keys = `${storedKey.toString("base64")}:${hmac(salted, "Server Key").toString("base64")}`;
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${keys}`;
}

/**
 * The salt for the role of one database. Made from its identity, not random: the same password gives the same verifier, so
 * that the server itself can tell whether anything has to be written.
 */
export function saltFor(...identity: readonly string[]): Buffer {
  return createHash("sha256")
    .update(JSON.stringify(["salt", ...identity]))
    .digest()
    .subarray(0, saltBytes);
}

const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
