/** A self-signed certificate for a server. Node.js can read certificates but not make them, and the image has no openssl program. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";
import { bits, bool, contextual, integer, octets, oid, sequence, set, time, utf8 } from "./der.ts";

// Object identifiers of RFC 5280 and RFC 5758.
const ecdsaWithSha256 = sequence(oid("1.2.840.10045.4.3.2"));
const commonName = "2.5.4.3";
const basicConstraints = "2.5.29.19";
const keyUsage = "2.5.29.15";
const subjectAltName = "2.5.29.17";

export interface SelfSigned {
  readonly key: string;
  readonly cert: string;
}

/** `names` are host names and IPv4 addresses; the certificate is its own authority. */
export function makeSelfSigned(subject: string, names: readonly string[], from: Date, until: Date): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const body = certificateBody(publicKey, subject, names, from, until);
  const cert = sequence(body, ecdsaWithSha256, bits(sign("sha256", body, privateKey)));
  return { key: privateKey.export({ type: "pkcs8", format: "pem" }), cert: pem("CERTIFICATE", cert) };
}

function certificateBody(publicKey: KeyObject, subject: string, names: readonly string[], from: Date, until: Date): Buffer {
  const name = sequence(set(sequence(oid(commonName), utf8(subject))));
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(15)]); // positive, and long enough never to come again
  return sequence(
    contextual(0, integer(Buffer.from([2]))), // version 3
    integer(serial),
    ecdsaWithSha256,
    name,
    sequence(time(from), time(until)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    contextual(3, sequence(...extensions(names))),
  );
}

const extensions = (names: readonly string[]): readonly Buffer[] => [
  sequence(oid(basicConstraints), bool(true), octets(sequence(bool(true)))),
  // digitalSignature and keyCertSign: a server's certificate that is its own authority.
  sequence(oid(keyUsage), bool(true), octets(bits(Buffer.from([0b1000_0100]), 2))),
  sequence(oid(subjectAltName), octets(sequence(...names.map(alternativeName)))),
];

const alternativeName = (name: string): Buffer =>
  isIPv4(name)
    ? contextual(7, Buffer.from(name.split(".").map(Number)), "primitive")
    : contextual(2, Buffer.from(name), "primitive");

const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der.toString("base64").replaceAll(/.{64}/gu, "$&\n").trimEnd()}\n-----END ${label}-----\n`;
