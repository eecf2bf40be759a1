import { X509Certificate } from "node:crypto";
import { type PostgresVDB, tlsKeys, type VdbReason } from "@vdb/api";
import type { ConditionValue } from "kube-runtime";
import type { TlsResult } from "../../postgres/tls.ts";

type Told = Exclude<TlsResult, { kind: "failed" }>;

/** CertificateCurrent, and whether the server has a certificate at all: without one no client is let in. */
export interface CertificatePlan {
  readonly condition: ConditionValue;
  readonly trouble:
    | { readonly reason: VdbReason<"CertificateCurrent"> & VdbReason<"Prepared">; readonly message: string }
    | undefined;
}

/** Pure: what to tell of what the server serves with. */
export function decideCertificate(vdb: PostgresVDB, result: Told, now: number): CertificatePlan {
  const type = "CertificateCurrent";
  if (result.kind === "inForce") {
    const notes = notesOf(vdb, result.serving, now);
    return {
      condition: { type, status: "True", ...inForce(result.serving, notes) },
      trouble: undefined,
    };
  }
  const [reason, message] = words(vdb, result);
  const former = result.serving === undefined ? "the server has none" : `the earlier one stays in force${until(result.serving)}`;
  return {
    condition: { type, status: "False", reason, message: `${message}; ${former}` },
    trouble: result.serving === undefined ? { reason, message } : undefined,
  };
}

function inForce(
  serving: string,
  notes: readonly string[],
): { readonly reason: VdbReason<"CertificateCurrent">; readonly message: string } {
  const message = `the certificate is in force${until(serving)}`;
  return notes.length === 0
    ? { reason: "InForce", message }
    : { reason: "NeedsAttention", message: [message, ...notes].join("; ") };
}

type Trouble = NonNullable<CertificatePlan["trouble"]>["reason"];

function words(
  { spec, metadata: { namespace } }: PostgresVDB,
  { kind, words: said }: Exclude<Told, { kind: "inForce" }>,
): [Trouble, string] {
  const secret = `Secret ${spec.tls?.secretName ?? ""} in namespace ${namespace}`;
  if (kind === "refused")
    return [
      "CertificateRefused",
      `PostgreSQL refuses the certificate in ${secret}: ${said}; put one with its own, unencrypted key into it`,
    ];
  return said.split(" ").length === tlsKeys.length
    ? [
        "CertificateMissing",
        `${secret} does not exist or is empty: create it with the keys ${tlsKeys.map((key) => `"${key}"`).join(" and ")}`,
      ]
    : ["CertificateMissing", `${secret} has no key "${said}": add it`];
}

/** What would make clients refuse it that verify the server (sslmode=verify-full), in words. */
function notesOf({ metadata: { name, namespace } }: PostgresVDB, serving: string, now: number): readonly string[] {
  const certificate = parsed(serving);
  if (certificate === undefined) return [];
  const host = `${name}.${namespace}.svc`;
  const isFor = certificate.checkHost(host) !== undefined;
  return [
    ...(Date.parse(certificate.validTo) < now ? ["it has expired: renew it in the Secret"] : []),
    ...(isFor ? [] : [`it is not for the name ${host}, so clients with sslmode=verify-full refuse it under that name`]),
  ];
}

function until(serving: string): string {
  const certificate = parsed(serving);
  return certificate === undefined ? "" : `, valid until ${new Date(certificate.validTo).toISOString().replace(".000", "")}`;
}

/** The server's own, which is the first. PostgreSQL may take what this program cannot read. */
function parsed(serving: string): X509Certificate | undefined {
  try {
    return new X509Certificate(serving);
  } catch {
    return undefined;
  }
}
