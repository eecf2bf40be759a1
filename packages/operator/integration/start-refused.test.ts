/** Data and images that the start script starts no server with; on PostgreSQL 16.2. */
import { equal, match } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { major, programs, startPod } from "./testing/postgres.ts";
import { empty, refused, running, sourceData } from "./testing/source-data.ts";

describe("the start script refuses", { timeout: 600_000 }, () => {
  const { clone, folder } = sourceData();

  const refusals: { name: string; reason: RegExp; change: (data: string) => void }[] = [
    {
      name: "an empty volume",
      reason: /^vdb:NotADatabase: .*no folder data.*nothing/u,
      change: (data) => rmSync(data, { recursive: true }),
    },
    { name: "an empty data folder", reason: /^vdb:NotADatabase: .*PG_VERSION.*nothing/u, change: empty },
    {
      name: "some other files",
      reason: /^vdb:NotADatabase: .*it contains: holiday.jpg/u,
      change: (data) => {
        empty(data);
        writeFileSync(join(data, "holiday.jpg"), "");
      },
    },
    {
      name: "data that is not whole",
      reason: /^vdb:NotADatabase: .*pg_control/u,
      change: (data) => rmSync(join(data, "global/pg_control")),
    },
    {
      name: "another major version",
      reason: new RegExp(`^vdb:MajorMismatch: .*${major - 1}.*${major}`, "u"),
      change: (data) => writeFileSync(join(data, "PG_VERSION"), `${major - 1}\n`),
    },
    {
      name: "a dangling data folder",
      reason: /^vdb:NotADatabase/u,
      change: (data) => {
        rmSync(data, { recursive: true });
        symlinkSync("/absent", data);
      },
    },
  ];
  for (const { name, reason, change } of refusals) {
    test(`${name} is refused with its reason, and nothing is made`, async () => {
      const mount = clone(change);
      const list = () => execFileSync("find", [mount, "-ls"], { encoding: "utf8" });
      const untouched = list();
      match(await refused(mount, { contentId: "x" }), reason);
      equal(list(), untouched, "the volume is as it was");
    });
  }

  test("data of another owner is refused with both owners", async () => {
    const mount = clone();
    execFileSync("chown", ["-R", "1234:1234", mount]);
    match(await refused(mount, { contentId: "x" }), /^vdb:OwnerMismatch: .*1234:1234.*65534:65534/u);
  });

  test("an image without awk is told, and the source's settings are not lost in silence", async () => {
    const tools = join(folder, "tools");
    mkdirSync(tools);
    for (const tool of readdirSync("/usr/bin")) if (!/awk/u.test(tool)) symlinkSync(`/usr/bin/${tool}`, join(tools, tool));
    const mount = clone();
    const options = { contentId: "x", env: { PATH: `${programs}:${tools}` } };
    match(await refused(mount, options), /^vdb:ImageWithoutPostgres: .*awk/u);
    const pod = await startPod(mount, { contentId: "x" });
    await running(pod, () => equal(pod.sql("SHOW max_wal_size"), "1GB", "what initdb wrote into postgresql.conf"));
  });
});
