import { dnsSubdomain, dnsSubdomainWords, subdomainLength } from "../fields/names.ts";
import { schema, type TypeOf } from "../schema.ts";

/** What the Secret named by `tls.secretName` must have. */
export const tlsKeys = ["tls.crt", "tls.key"] as const;

export const tls = schema({
  type: "object",
  description: "TLS for clients. Left out: clients connect without TLS. Needs PostgreSQL 10 or later.",
  required: ["secretName"],
  properties: {
    secretName: {
      type: "string",
      description:
        'The name of a Secret in the same namespace with the server\'s certificate, as cert-manager writes it: keys "tls.crt" (with intermediate certificates) and "tls.key"; "ca.crt" is for clients. The pod mounts it. A renewed one comes into force without a restart. Another name replaces the pod.',
      maxLength: subdomainLength,
      pattern: dnsSubdomain,
      allowed: `a Secret's name: ${dnsSubdomainWords}`,
      example: "my-db-tls",
    },
    withoutTls: {
      type: "string",
      description: "Clients that do not use TLS. Refuse: they are not let in. Allow: they are let in as well.",
      enum: ["Refuse", "Allow"],
      default: "Refuse",
    },
  },
});
export type VdbTls = TypeOf<typeof tls>;
