/** PostgreSQL 14, 15, 17 and 18 as sources and as databases, a newer minor version, and another major, which is refused. */
import { equal, match, notEqual } from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  ensureNamespace,
  eventually,
  linkDatabase,
  loadProduction,
  productionSql,
  run,
  startDatabase,
  takeSourceSnapshot,
  testCluster,
  text,
  unlinkDatabase,
} from "@vdb/cluster";
import {
  accountsChecksum,
  applyVdb,
  condition,
  deleteSnapshots,
  deleteVdb,
  makePasswordSecret,
  patchSpec,
  runAction,
  settledVdbCount,
  sqlInPod,
  type VdbOptions,
  vdbCount,
  waitForPhase,
} from "./vdb.ts";

const kubectl = await testCluster();
const namespace = "majors";
const majors = [14, 15, 17, 18] as const;
const words = "SELECT string_agg(word, ' ' ORDER BY id) FROM words";
const write = (word: string): string => `INSERT INTO words (word) VALUES ('${word}')`;

async function ready(vdb: VdbOptions): Promise<void> {
  await makePasswordSecret(kubectl, vdb);
  await applyVdb(kubectl, vdb);
  await waitForPhase(kubectl, vdb, "Ready");
}

async function completed(vdb: VdbOptions, kind: string, name: string, spec: object = {}): Promise<void> {
  const found = await runAction(kubectl, vdb, { kind, name: `${vdb.name}-${name}`, spec });
  equal(text(found, "status", "phase"), "Completed", text(found, "status"));
  await waitForPhase(kubectl, vdb, "Ready");
}

const actions = "vdbsnapshots,postgressnapshots,vdbrefreshes,postgresrefreshes,vdbrewinds,postgresrewinds";
async function deleteAll(databases: readonly VdbOptions[]): Promise<void> {
  await kubectl.run(["delete", actions, "--all", "-n", namespace, "--timeout=180s"]);
  await deleteSnapshots(kubectl, namespace);
  for (const vdb of databases) await deleteVdb(kubectl, vdb);
}

describe("each major version", { timeout: 2_400_000 }, () => {
  let vdbs = 0;
  before(async () => {
    const images = [...majors.map((major) => `postgres${major}`), "postgres16-15"];
    await run(join(import.meta.dirname, "../cluster/load-images"), images);
    await ensureNamespace(kubectl, namespace);
    vdbs = await settledVdbCount(kubectl);
  });
  after(async () => {
    await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=240s"]);
  });

  for (const major of majors)
    describe(`PostgreSQL ${major}`, () => {
      const production = { namespace: `production-${major}`, version: String(major) };
      const source = (sql: string): Promise<string> => productionSql(kubectl, sql, production);
      const vdb = {
        name: `of-${major}`,
        namespace,
        spec: { source: { type: "dct-source", reference: `delphix-engine:${production.namespace}` }, image: `postgres:${major}` },
      };
      const copy = { name: `copy-of-${major}`, namespace };
      before(async () => {
        const password = await startDatabase(kubectl, production);
        await loadProduction(kubectl, 1, production);
        await source(`CREATE TABLE words (id serial, word text); ${write("first")};`);
        // In force at the source with its next start, and in every copy of its data; only 18 knows it.
        if (major >= 18) await source("ALTER SYSTEM SET io_method = 'sync'");
        await linkDatabase(kubectl, production, password);
      });
      after(async () => {
        await deleteAll([copy, vdb]);
        await unlinkDatabase(kubectl, production);
        await kubectl.run(["delete", "namespace", production.namespace, "--ignore-not-found", "--timeout=120s"]);
      });

      test("a VDB of a dSource has its rows and runs its version", async () => {
        await ready(vdb);
        match(await sqlInPod(kubectl, vdb, "SHOW server_version"), new RegExp(`^${major}\\.\\d+$`, "u"));
        equal(await sqlInPod(kubectl, vdb, accountsChecksum), await source(accountsChecksum));
        equal(await sqlInPod(kubectl, vdb, words), "first");
        for (const setting of ["data_checksums", "server_encoding", "TimeZone"])
          equal(await sqlInPod(kubectl, vdb, `SHOW ${setting}`), await source(`SHOW ${setting}`));
        if (major >= 18) equal(await sqlInPod(kubectl, vdb, "SHOW io_method"), "worker", "the source's is its machine's");
      });

      test("snapshots of it, a rewind to one, and a refresh that brings the source's newer rows", async () => {
        await sqlInPod(kubectl, vdb, write("own"));
        await completed(vdb, "VDBSnapshot", "volume");
        await completed(vdb, "PostgresSnapshot", "positioned", { preSnapshot: { content: write("inside") } });
        await sqlInPod(kubectl, vdb, "DROP TABLE words; DELETE FROM pgbench_accounts");
        await completed(vdb, "PostgresRewind", "latest");
        equal(await sqlInPod(kubectl, vdb, words), "first own inside");
        await completed(vdb, "VDBRewind", "back", { snapshotRef: { type: "volume-snapshot", name: `${vdb.name}-volume` } });
        equal(await sqlInPod(kubectl, vdb, words), "first own");
        equal(await sqlInPod(kubectl, vdb, accountsChecksum), await source(accountsChecksum));
        await source(write("newer"));
        await takeSourceSnapshot(kubectl, 120, production.namespace);
        await completed(vdb, "PostgresRefresh", "fresh", { postRefresh: { content: write("refreshed") } });
        equal(await sqlInPod(kubectl, vdb, words), "first newer refreshed");
        equal(await source(words), "first newer", "the source is untouched");
      });

      test("a copy of its claim has every row that was committed", async () => {
        const claim = text(await kubectl.get("postgresvdb", vdb.name, namespace), "status", "pvcName");
        await ready({ ...copy, spec: { ...vdb.spec, source: { type: "pvc-clone", reference: claim } } });
        equal(await sqlInPod(kubectl, copy, words), "first newer refreshed");
        await sqlInPod(kubectl, copy, write("copied"));
        equal(await sqlInPod(kubectl, vdb, words), "first newer refreshed");
      });
    });

  describe("another image", () => {
    const vdb = { name: "changed-image", namespace };
    const uid = async (): Promise<string> => {
      const [pod = null] = await kubectl.list("pods", ["-n", namespace, `-l=app.kubernetes.io/instance=${vdb.name}`]);
      return text(pod, "metadata", "uid");
    };
    before(async () => {
      await ready(vdb);
      await sqlInPod(kubectl, vdb, `CREATE TABLE words (id serial, word text); ${write("old")};`);
    });
    after(() => deleteAll([vdb]));

    test("of a newer minor version: a restart, the data there", async () => {
      equal(await sqlInPod(kubectl, vdb, "SHOW server_version"), "16.2");
      const former = await uid();
      await patchSpec(kubectl, vdb, { image: "postgres:16.15" });
      await eventually("the new version answers", 180, async () =>
        (await sqlInPod(kubectl, vdb, "SHOW server_version")) === "16.15" ? true : undefined,
      );
      await waitForPhase(kubectl, vdb, "Ready");
      notEqual(await uid(), former);
      equal(await sqlInPod(kubectl, vdb, words), "old");
      equal(await sqlInPod(kubectl, vdb, accountsChecksum), await productionSql(kubectl, accountsChecksum));
    });

    test("of another major version: refused with the reason, the data untouched, and the right image is enough", async () => {
      await patchSpec(kubectl, vdb, { image: "postgres:17" });
      const said = await eventually("it is refused", 180, async () => {
        const found = condition((await kubectl.get("postgresvdb", vdb.name, namespace)) ?? null, "Deployed");
        if (found?.reason === "MajorMismatch") return found.message;
        throw new Error(`${found?.reason}: ${found?.message}`);
      });
      match(
        said,
        /the data is of PostgreSQL 16, but the image has PostgreSQL 17\.\d+: set spec\.image to an image of PostgreSQL 16/u,
      );
      await patchSpec(kubectl, vdb, { image: "postgres:16.15" });
      await waitForPhase(kubectl, vdb, "Ready");
      equal(await sqlInPod(kubectl, vdb, words), "old");
    });
  });

  test("nothing of them is left in DCT", async () => {
    await eventually("the VDBs are gone", 120, async () => ((await vdbCount(kubectl)) === vdbs ? true : undefined));
  });
});
