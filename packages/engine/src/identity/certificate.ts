import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../command.ts";

export interface Certificate {
  readonly key: string;
  /** Self-signed: it is its own authority, and what callers trust. */
  readonly cert: string;
}

const validDays = 3650;
/** A certificate that ends this soon is replaced at the start. */
const renewBeforeMs = 60 * 86_400_000;

/** The server's certificate, kept with the data; made anew when it is missing, about to end, or lacks one of the names. */
export async function keepCertificate(folder: string, names: readonly string[]): Promise<Certificate> {
  const [keyFile, certFile] = [join(folder, "tls.key"), join(folder, "tls.crt")];
  const kept = await read(keyFile, certFile);
  if (kept !== undefined && serves(kept.cert, names)) return kept;
  await make(`${keyFile}.new`, `${certFile}.new`, names);
  // The key goes last: a crash in between leaves a pair that does not fit, which is noticed and replaced.
  await rename(`${certFile}.new`, certFile);
  await rename(`${keyFile}.new`, keyFile);
  const made = await read(keyFile, certFile);
  if (made === undefined) throw new Error(`${certFile}: openssl made a certificate that cannot be used`);
  return made;
}

async function read(keyFile: string, certFile: string): Promise<Certificate | undefined> {
  if (!existsSync(keyFile) || !existsSync(certFile)) return undefined;
  const [key, cert] = await Promise.all([readFile(keyFile, "utf8"), readFile(certFile, "utf8")]);
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)) ? { key, cert } : undefined;
}

function serves(cert: string, names: readonly string[]): boolean {
  const parsed = new X509Certificate(cert);
  const lasts = parsed.validToDate.getTime() - Date.now() > renewBeforeMs;
  return lasts && names.every((name) => (isAddress(name) ? parsed.checkIP(name) : parsed.checkHost(name)) !== undefined);
}

const isAddress = (name: string): boolean => /^[\d.]+$|:/u.test(name);

async function make(keyFile: string, certFile: string, names: readonly string[]): Promise<void> {
  await rm(keyFile, { force: true });
  const alternatives = names.map((name) => `${isAddress(name) ? "IP" : "DNS"}:${name}`).join(",");
  // openssl makes a new key file with mode 0600.
  const options = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days ${validDays} -subj /CN=delphix-engine`;
  await runCommand("openssl", [
    ...options.split(" "),
    "-addext",
    `subjectAltName=${alternatives}`,
    "-keyout",
    keyFile,
    "-out",
    certFile,
  ]);
}
