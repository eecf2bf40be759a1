import { equal, notEqual, ok } from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect, createServer } from "node:tls";
import { keepCertificate } from "./certificate.ts";
import { makeSelfSigned } from "./self-signed.ts";

const names = ["delphix-engine", "delphix-engine.delphix-storage.svc.cluster.local", "localhost", "127.0.0.1"];
const dayMs = 86_400_000;

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "certificate-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What becomes of a caller who trusts only this certificate and asks for this name. */
function handshake({ key, cert }: { key: string; cert: string }, servername: string): Promise<"accepted" | Error> {
  return new Promise((resolve) => {
    const server = createServer({ key, cert }, (socket) => socket.end());
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      const socket = connect({ host: "127.0.0.1", port, ca: cert, servername });
      const end = (outcome: "accepted" | Error): void => {
        socket.destroy();
        server.close();
        resolve(outcome);
      };
      socket.once("secureConnect", () => end("accepted"));
      socket.once("error", end);
    });
  });
}

test("a caller who trusts the certificate reaches the server under each of its names, and no other", async () => {
  const made = makeSelfSigned("delphix-engine", names, new Date(), new Date(Date.now() + dayMs));
  const parsed = new X509Certificate(made.cert);
  ok(parsed.ca && parsed.verify(parsed.publicKey), "it is its own authority");
  equal(parsed.checkIP("127.0.0.1"), "127.0.0.1");
  for (const name of names.slice(0, 3)) equal(await handshake(made, name), "accepted", name);
  ok(String(await handshake(made, "elsewhere")).includes("elsewhere"));
});

test("a date after 2049 is written as RFC 5280 demands", () => {
  const { cert } = makeSelfSigned("x", ["x"], new Date("2020-01-02T03:04:05Z"), new Date("2060-01-02T03:04:05Z"));
  equal(Date.parse(new X509Certificate(cert).validTo), Date.parse("2060-01-02T03:04:05Z"));
});

test("the certificate is kept over restarts, with a key that only root may read", async () => {
  await inFolder(async (folder) => {
    const first = await keepCertificate(folder, names);
    equal((await keepCertificate(folder, names)).cert, first.cert);
    equal((await stat(join(folder, "tls.key"))).mode & 0o777, 0o600);
  });
});

test("a new name, an end that is near and a key of another pair each make a new certificate", async () => {
  await inFolder(async (folder) => {
    const first = await keepCertificate(folder, names);
    const named = await keepCertificate(folder, [...names, "engine.example"]);
    notEqual(named.cert, first.cert);
    const soon = makeSelfSigned("delphix-engine", names, new Date(), new Date(Date.now() + dayMs));
    await writeFile(join(folder, "tls.crt"), soon.cert);
    await writeFile(join(folder, "tls.key"), soon.key);
    const renewed = await keepCertificate(folder, names);
    notEqual(renewed.cert, soon.cert);
    await writeFile(join(folder, "tls.key"), soon.key);
    const repaired = await keepCertificate(folder, names);
    const key = createPrivateKey(await readFile(join(folder, "tls.key"), "utf8"));
    ok(new X509Certificate(repaired.cert).checkPrivateKey(key));
  });
});
