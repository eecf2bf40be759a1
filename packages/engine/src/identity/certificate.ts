import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeSelfSigned } from "./self-signed.ts";
import { writePrivate } from "./write-private.ts";

export interface Certificate {
  readonly key: string;
  /** Self-signed: it is its own authority, and what callers trust. */
  readonly cert: string;
}

const validMs = 3650 * 86_400_000;
/** A certificate that ends this soon is replaced at the start. */
const renewBeforeMs = 60 * 86_400_000;

/** The server's certificate, kept with the data; made anew when it is missing, about to end, or lacks one of the names. */
export async function keepCertificate(folder: string, names: readonly string[]): Promise<Certificate> {
  const [keyFile, certFile] = [join(folder, "tls.key"), join(folder, "tls.crt")];
  const kept = await read(keyFile, certFile);
  if (kept !== undefined && serves(kept.cert, names)) return kept;
  const made = makeSelfSigned("delphix-engine", names, new Date(), new Date(Date.now() + validMs));
  // A crash between the two leaves a pair that does not fit, which is noticed above and replaced.
  await writePrivate(certFile, made.cert);
  await writePrivate(keyFile, made.key);
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
