/** Where the data lies in volumes that other software has laid out, on PostgreSQL 16.2. */
import { equal, match, ok } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { owner, startPod } from "./testing/postgres.ts";
import { refused, running, sourceData } from "./testing/source-data.ts";

const options = (folder = "") => ({ contentId: "x", dataFolder: folder });
const owned = (path: string): void => void execFileSync("chown", ["-R", `${owner.uid}:${owner.gid}`, path]);
const moved = (to: string) => (mount: string) => {
  mkdirSync(join(mount, to, ".."), { recursive: true });
  renameSync(join(mount, "data"), join(mount, to));
  owned(mount);
};
/** The root of a file system of its own, as root has made it. */
const withLostAndFound = (mount: string): void => {
  mkdirSync(join(mount, "lost+found"), { mode: 0o700 });
  chownSync(join(mount, "lost+found"), 0, 0);
};

describe("the start script on a volume of other software", { timeout: 600_000 }, () => {
  const { clone } = sourceData();
  const laidOut = (change: (mount: string) => void): string => {
    const mount = clone();
    change(mount);
    return mount;
  };
  const rows: { name: string; why: string; change: (mount: string) => void; folder?: string }[] = [
    { name: "in the folder data", why: "as the volumes of ours have it", change: () => undefined },
    {
      name: "in pgdata, beside lost+found",
      why: "the official image's usual PGDATA on a block device",
      change: (mount) => {
        moved("pgdata")(mount);
        withLostAndFound(mount);
      },
    },
    { name: "in 18/docker", why: "where the official image has it since version 18", change: moved("18/docker") },
    {
      name: "in the volume itself",
      why: "the official image on a volume without lost+found",
      change: (mount) => {
        cpSync(join(mount, "data"), mount, { recursive: true });
        rmSync(join(mount, "data"), { recursive: true });
        owned(mount);
      },
    },
    {
      name: "in one of two folders, which the manifest names",
      why: "only a person knows which",
      change: (mount) => {
        cpSync(join(mount, "data"), join(mount, "old"), { recursive: true });
        moved("pgdata")(mount);
      },
      folder: "pgdata",
    },
  ];
  for (const { name, why, change, folder } of rows)
    test(`adopted: ${name}`, async () => {
      const mount = laidOut(change);
      const pod = await startPod(mount, options(folder));
      await running(pod, () => equal(pod.sql("SELECT 1"), "1", why));
    });

  test("a link to WAL in the volume leads there wherever the volume is mounted", async () => {
    const mount = laidOut((at) => {
      renameSync(join(at, "data/pg_wal"), join(at, "wal"));
      symlinkSync("/var/lib/postgresql/wal", join(at, "data/pg_wal"));
      moved("main/pgdata")(at);
    });
    const pod = await startPod(mount, options());
    await running(pod, () => equal(readlinkSync(join(mount, "main/pgdata/pg_wal")), "../../wal"));
  });

  test("a tablespace beside the data folder is found wherever the volume is mounted, and base backups have it", async () => {
    const mount = laidOut((at) => {
      mkdirSync(join(at, "space"));
      moved("main/pgdata")(at);
    });
    let pod = await startPod(mount, options());
    await pod.answers();
    pod.sql(`CREATE TABLESPACE space LOCATION '${mount}/space'`);
    pod.sql("CREATE TABLE there TABLESPACE space AS SELECT generate_series(1, 1000) AS n");
    const oid = pod.sql("SELECT oid FROM pg_tablespace WHERE spcname = 'space'");
    const link = join(mount, "main/pgdata/pg_tblspc", oid);
    for (const target of ["/var/lib/postgresql/space", "../../../space"]) {
      await pod.stop();
      rmSync(link);
      symlinkSync(target, link);
      pod = await pod.again();
      await pod.answers();
      equal(pod.sql("SELECT count(*) FROM there"), "1000");
      equal(readlinkSync(link), join(mount, "space"), target);
    }
    const backup = join(pod.run, "backup");
    const { run, port } = pod;
    const made = pod.exec(["pg_basebackup", "-h", run, "-p", `${port}`, "-U", "postgres", "-D", backup, "-Ft", "-X", "none"]);
    equal(made.exitCode, 0, made.stderr);
    match(execFileSync("tar", ["-tf", join(backup, `${oid}.tar`)], { encoding: "utf8" }), /^PG_16_\d+\/\d+\/\d+$/mu);
    await pod.stop();
  });

  const refusals: { name: string; change: (mount: string) => void; folder?: string; want: RegExp }[] = [
    {
      name: "two candidates",
      change: (mount) => {
        cpSync(join(mount, "data"), join(mount, "pgdata"), { recursive: true });
        owned(mount);
      },
      want: /^vdb:DataAmbiguous: the volume has more than one data directory: data, pgdata; set spec\.dataDirectory/u,
    },
    {
      name: "nothing but files of others",
      change: (mount) => {
        rmSync(join(mount, "data"), { recursive: true });
        writeFileSync(join(mount, "notes.txt"), "");
        withLostAndFound(mount);
      },
      want: /^vdb:NotADatabase: the volume has no data directory, .* contains: lost\+found notes\.txt/u,
    },
    {
      name: "half a data directory",
      change: (mount) => rmSync(join(mount, "data/global/pg_control")),
      want: /^vdb:NotADatabase: the volume has no whole data directory: .* in data/u,
    },
    {
      name: "the data of another user",
      change: (mount) => void execFileSync("chown", ["-R", "1001:1001", join(mount, "data")]),
      want: /^vdb:OwnerMismatch: PostgreSQL, which runs as 65534:65534, cannot read these folders .*: data \(of 1001:1001\); set spec\.ownershipSpec/u,
    },
    {
      name: "WAL on another volume",
      change: (mount) => {
        rmSync(join(mount, "data/pg_wal"), { recursive: true });
        symlinkSync("/wal/pg_wal", join(mount, "data/pg_wal"));
      },
      want: /^vdb:NotADatabase: pg_wal in the data directory is a link to \/wal\/pg_wal, which the volume does not contain/u,
    },
    {
      name: "a folder that the manifest names and the volume has not",
      change: () => undefined,
      folder: "pgdata",
      want: /^vdb:NotADatabase: the volume has no folder pgdata with a PG_VERSION; .* contains: data/u,
    },
  ];
  for (const { name, change, folder, want } of refusals)
    test(`told: ${name}`, async () => {
      const mount = laidOut(change);
      match(await refused(mount, options(folder)), want);
      ok(!existsSync(join(mount, "data/vdb-content-id")), "nothing is written to it");
      ok(lstatSync(mount).isDirectory());
    });
});
