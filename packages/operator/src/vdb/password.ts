import { type PostgresVDB, passwordKey } from "@vdb/api";
import { type Client, type Secret, secrets, secretText } from "kube-runtime";

/** The password that the manifest means, or why there is none. */
export type Password =
  | { readonly kind: "known"; readonly value: string; readonly note?: string }
  | {
      readonly kind: "missing";
      readonly reason: "SecretNotFound" | "SecretKeyMissing" | "PasswordTooShort";
      readonly message: string;
    };

const leastLength = 8;

/** Reads the Secret by its name: a right to list or watch Secrets would be one to read all of them. */
export async function readPassword({ spec, metadata }: PostgresVDB, client: Client, signal: AbortSignal): Promise<Password> {
  const { password, passwordSecretRef } = spec.database;
  if (passwordSecretRef === undefined) return { kind: "known", value: password ?? "" }; // one of the two: the CRD sees to it
  const secret = await client.find(secrets, { namespace: metadata.namespace, name: passwordSecretRef }, signal);
  return passwordIn(secret, passwordSecretRef, metadata.namespace);
}

/** Pure: what a Secret, if there is one, gives. */
export function passwordIn(secret: Secret | undefined, name: string, namespace: string): Password {
  const where = `Secret ${name} in namespace ${namespace}`;
  const missing = (reason: Extract<Password, { kind: "missing" }>["reason"], message: string): Password => ({
    kind: "missing",
    reason,
    message: `${where} ${message}`,
  });
  if (secret === undefined) return missing("SecretNotFound", `does not exist: create it with the key "${passwordKey}"`);
  const text = secretText(secret, passwordKey);
  if (text === undefined) {
    const keys = Object.keys(secret.data ?? {}).toSorted();
    return missing("SecretKeyMissing", `has no key "${passwordKey}"; its keys: ${keys.length === 0 ? "none" : keys.join(", ")}`);
  }
  const value = text.replace(/\r?\n$/u, ""); // put there by `echo` or an editor; shells and people leave it out when they log in
  if (value.length < leastLength)
    return missing("PasswordTooShort", `has a password of fewer than ${leastLength} characters: put a longer one into it`);
  return value === text
    ? { kind: "known", value }
    : { kind: "known", value, note: `${where}: the operator ignores the line end after the password` };
}
