/** Sources that cannot be copied are refused before anything is, and those that can are reached no less safely than was asked for. */
import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eq } from "@vdb/dct";
import { makeSelfSigned } from "../src/identity/self-signed.ts";
import { declared, type EngineProcess, firstSnapshot, poolDir, startEngineProcess, writeConfig } from "./testing/engine.ts";
import { password, type Server, sourceOwner, startSource } from "./testing/postgres.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

const hour = 3_600_000;

describe("sources", { timeout: 300_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let source: Server;
  let engine: EngineProcess;

  before(async () => {
    scratch = stack.use(scratchFolder());
    source = stack.use(await startSource(scratch, "production", 3, ["log_replication_commands=on"]));
    engine = stack.use(await startEngineProcess(scratch, { config: { dsources: [] } }));
  });
  after(() => stack.disposeAsync());

  async function seen(name: string, status: RegExp, { client, log } = engine): Promise<string> {
    let said = "";
    for (let left = 150; left > 0; left -= 1) {
      const [found] = await client.searchDSources(eq("name", name));
      said = found?.status ?? "";
      if (status.test(said)) return said;
      await new Promise((resolve) => void setTimeout(resolve, 200));
    }
    throw new Error(`dSource ${name} never said ${status}, but ${said}:\n${log().slice(-3000)}`);
  }
  const secret = (key: string, text: string): void => writeFileSync(join(scratch.path, "secrets/link", key), text);

  test("a major version that is not installed here is refused before a byte is copied", async () => {
    const postgresDir = join(scratch.path, "majors");
    mkdirSync(postgresDir);
    symlinkSync(join(scratch.postgresDir, "16"), join(postgresDir, "15"));
    const other: Scratch = { ...scratch, path: join(scratch.path, "other"), postgresDir };
    mkdirSync(other.path);
    await using older = await startEngineProcess(other, { config: { dsources: [declared("newer", source.port)] } });
    await seen("newer", /^Error: the source is PostgreSQL 16; this engine has 15 under /u, older);
    doesNotMatch(source.log(), /BASE_BACKUP/u);
    await older.stop();
  });

  test("whoever stands in between and asks for the password in clear does not get it", async () => {
    let heard = "";
    const thief = createServer((socket) => {
      socket
        .on("error", () => undefined)
        .on("data", (bytes) => {
          heard += bytes.toString("latin1");
          const isTlsRequest = bytes.length === 8;
          socket.write(isTlsRequest ? "N" : Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
        });
    });
    await new Promise<void>((resolve) => void thief.listen(0, "127.0.0.1", resolve));
    const address = thief.address();
    try {
      const port = typeof address === "object" && address !== null ? address.port : 0;
      writeConfig(scratch, { dsources: [declared("stolen", port)] });
      await seen("stolen", /^Error: base backup of .* authentication method requirement .*scram-sha-256 or md5/u);
      match(heard, /user\0postgres/u, "it was asked");
      equal(heard.includes(password), false);
    } finally {
      writeConfig(scratch, { dsources: [] });
      thief.close();
    }
  });

  test("verify-full: a certificate of a wrong authority is refused, the right one is enough, and none of it stays", async () => {
    const names = ["localhost", "127.0.0.1"];
    const [right, wrong] = ["right", "wrong"].map((name) =>
      makeSelfSigned(name, names, new Date(Date.now() - hour), new Date(Date.now() + hour)),
    );
    const [keyFile, certFile] = [join(scratch.path, "server.key"), join(scratch.path, "server.crt")];
    writeFileSync(keyFile, right?.key ?? "", { mode: 0o600 });
    writeFileSync(certFile, right?.cert ?? "");
    for (const file of [keyFile, certFile]) chownSync(file, sourceOwner, sourceOwner);
    await using secure = await startSource(scratch, "secure", 0, [
      "ssl=on",
      `ssl_key_file=${keyFile}`,
      `ssl_cert_file=${certFile}`,
      "log_connections=on",
    ]);
    const sslRootCertSecret = { name: "link", key: "ca.crt" };
    writeConfig(scratch, { dsources: [{ ...declared("secure", secure.port), sslmode: "verify-full", sslRootCertSecret }] });
    await seen("secure", /^Error: cannot read key "ca\.crt" of Secret "link"/u);
    secret("ca.crt", wrong?.cert ?? "");
    await seen("secure", /^Error: base backup of .* certificate verify failed/u);
    secret("ca.crt", right?.cert ?? "");
    await seen("secure", /^Linked$/u);
    match(secure.log(), /replication connection authorized: user=postgres .*SSL enabled/u);
    const snapshot = await firstSnapshot(engine, "secure");
    deepEqual(readdirSync(join(poolDir(scratch), "snapshots", snapshot.id)), ["data"]);
  });

  test("an engine that is the first process of its container leaves no dead processes behind when it gives up a backup", async () => {
    const other: Scratch = { ...scratch, path: join(scratch.path, "contained") };
    mkdirSync(other.path);
    // Enough free space to begin, not enough for what the source then says it has.
    const config = { pool: { size: "512Mi", reserve: "400Mi" }, dsources: [declared("large", source.port)] };
    await using contained = await startEngineProcess(other, { config, contained: true });
    await seen("large", /^Error: not enough free space in pool/u, contained);
    const [engineId = ""] = readFileSync(`/proc/${contained.pid}/task/${contained.pid}/children`, "utf8").trim().split(" ");
    const processes = execFileSync("ps", ["-e", "-o", "ppid=,stat=,comm="], { encoding: "utf8" }).split("\n");
    deepEqual(
      processes.filter((line) => line.trim().startsWith(`${engineId} `) && / Z/u.test(line)),
      [],
    );
    await contained.kill();
  });
});
