import type { ExecResult } from "kube-runtime";
import { tlsScript } from "./generated/tls-script.ts";

/** What the script in the pod found and did. `serving`: the certificate that is in force, in PEM; undefined: there is none. */
export type TlsResult =
  | { readonly kind: "inForce"; readonly serving: string }
  | { readonly kind: "missing" | "refused"; readonly words: string; readonly serving: string | undefined }
  | { readonly kind: "failed"; readonly message: string };

/** Puts the mounted certificate in force, if it is not so already. */
export const tlsCommand: readonly string[] = ["/bin/sh", "-c", tlsScript, "tls"];

/** What the command's end means. */
export function tlsResult({ exitCode, stdout, stderr }: Pick<ExecResult, "exitCode" | "stdout" | "stderr">): TlsResult {
  const [, kind = "", words = "", rest = ""] = /^(\S+) (.*)\n?([\s\S]*)$/u.exec(stdout) ?? [];
  const serving = /-----BEGIN [\s\S]*/u.exec(rest)?.[0];
  if (exitCode === 0 && kind === "inForce" && serving !== undefined) return { kind, serving };
  if (exitCode === 0 && (kind === "missing" || kind === "refused")) return { kind, words: words.trim(), serving };
  return { kind: "failed", message: stderr.trim() === "" ? `the command ended with exit code ${exitCode}` : stderr.trim() };
}
