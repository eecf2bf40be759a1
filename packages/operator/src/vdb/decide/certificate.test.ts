import { equal, match } from "node:assert/strict";
import { before, describe, test } from "node:test";
import { selfSignedCertificate } from "kube-runtime/testing";
import { aVdb } from "../testing.ts";
import { decideCertificate } from "./certificate.ts";

const vdb = aVdb({ spec: { tls: { secretName: "orders-tls", withoutTls: "Refuse" } } });
const now = Date.now();
const day = 86_400_000;

describe("CertificateCurrent", () => {
  const certificates = { good: "", foreign: "" };
  before(async () => {
    certificates.good = (await selfSignedCertificate("DNS:orders,DNS:orders.shop.svc")).cert;
    certificates.foreign = (await selfSignedCertificate("DNS:db.example.com")).cert;
  });

  test("a certificate that clients can verify is in force, and the message is the same each time", () => {
    const { condition, trouble } = decideCertificate(vdb, { kind: "inForce", serving: certificates.good }, now);
    equal(`${condition.status} ${condition.reason}`, "True InForce");
    match(condition.message, /^the certificate is in force, valid until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u);
    equal(trouble, undefined);
  });

  test("what clients would refuse is told, and the certificate is in force all the same", () => {
    const foreign = decideCertificate(vdb, { kind: "inForce", serving: certificates.foreign }, now).condition;
    equal(`${foreign.status} ${foreign.reason}`, "True NeedsAttention");
    match(foreign.message, /not for the name orders\.shop\.svc/u);
    const old = decideCertificate(vdb, { kind: "inForce", serving: certificates.good }, now + 5 * day).condition;
    match(old.message, /has expired: renew it in the Secret/u);
    equal(decideCertificate(vdb, { kind: "inForce", serving: "-----BEGIN odd" }, now).condition.reason, "InForce");
  });

  const rows: { name: string; why: string; kind: "missing" | "refused"; words: string; reason: string; message: RegExp }[] = [
    {
      name: "no Secret",
      why: "its volume is empty",
      kind: "missing",
      words: "tls.crt tls.key",
      reason: "CertificateMissing",
      message:
        /^Secret orders-tls in namespace shop does not exist or is empty: create it with the keys "tls.crt" and "tls.key"/u,
    },
    {
      name: "no key",
      why: "of another form than cert-manager's",
      kind: "missing",
      words: "tls.key",
      reason: "CertificateMissing",
      message: /^Secret orders-tls in namespace shop has no key "tls.key": add it/u,
    },
    {
      name: "a pair that does not match",
      why: "PostgreSQL's own words",
      kind: "refused",
      words: "key values mismatch",
      reason: "CertificateRefused",
      message: /PostgreSQL refuses the certificate in Secret orders-tls in namespace shop: key values mismatch; put one/u,
    },
  ];
  for (const { name, why, kind, words, reason, message } of rows)
    test(`${name}: a warning while an earlier one is in force, else trouble`, () => {
      const later = decideCertificate(vdb, { kind, words, serving: certificates.good }, now);
      equal(`${later.condition.status} ${later.condition.reason}`, `False ${reason}`, why);
      match(later.condition.message, message);
      match(later.condition.message, /the earlier one stays in force, valid until/u);
      equal(later.trouble, undefined);
      const first = decideCertificate(vdb, { kind, words, serving: undefined }, now);
      equal(first.trouble?.reason, reason);
      match(first.condition.message, /; the server has none$/u);
    });
});
