import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const openssl = async (folder: string, ...args: readonly string[]): Promise<unknown> =>
  promisify(execFile)("openssl", [...args], { cwd: folder });
const ecKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** An authority in this folder, for `--client-ca-file`; gives the path of its certificate. */
export async function makeAuthority(folder: string): Promise<string> {
  await openssl(folder, "req", "-x509", ...ecKey, "-days", "2", "-subj", "/CN=test-ca", "-keyout", "ca.key", "-out", "ca.crt");
  return join(folder, "ca.crt");
}

/** Writes the files `client.key` and `client.crt` of this user, in place of whosever were there. */
export async function issueCertificate(folder: string, user: string): Promise<void> {
  await openssl(folder, "req", ...ecKey, "-subj", `/CN=${user}`, "-keyout", "next.key", "-out", "next.csr");
  const ca = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
  await openssl(folder, "x509", "-req", "-in", "next.csr", ...ca, "-days", "2", "-out", "client.crt");
  await promisify(execFile)("mv", ["next.key", "client.key"], { cwd: folder });
}
