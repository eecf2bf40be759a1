/** The driver without the operator: an annotated claim and a pod of one's own. */
import { equal, match } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { ensureNamespace, eventually, postgresImage, productionSql, testCluster, text, withEngineAccess } from "@vdb/cluster";
import { bareDct } from "./driver-path/bare-dct.ts";
import { accountsChecksum, settledVdbCount, vdbCount } from "./vdb.ts";
import { claim } from "./volumes/manifests.ts";

const kubectl = await testCluster();
const namespace = "driver-path";
const folder = new URL("../samples/driver", import.meta.url).pathname;

after(async () => void (await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=240s"])));

const claims = ["claim", "copy-of-claim"].flatMap((name) => ["-f", `${folder}/${name}.yaml`]);
/** With the image of production's major version, whichever these tests run with. */
const deployment = readFileSync(`${folder}/deployment.yaml`, "utf8").replace("postgres:16.2", postgresImage);
const known = { vdbs: 0 };

const sql = async (input: string): Promise<string> =>
  await kubectl.run(["exec", "-i", "-n", namespace, "deploy/my-postgres", "--", "psql", "-U", "postgres", "-qXAt", "-f", "-"], {
    input,
  });
const start = async (): Promise<void> => {
  await kubectl.run(["apply", "-n", namespace, "-f", "-"], { input: deployment });
  await kubectl.run(["rollout", "status", "deployment/my-postgres", "-n", namespace, "--timeout=240s"]);
};
const stop = async (): Promise<void> => {
  await kubectl.run(["delete", "deployment/my-postgres", "-n", namespace, "--timeout=120s"]);
  await kubectl.run(["wait", "pod", "-l", "app=my-postgres", "-n", namespace, "--for=delete", "--timeout=120s"]);
};

test("the samples: an annotated claim and a Deployment of one's own hold the source's data", { timeout: 900_000 }, async () => {
  known.vdbs = await settledVdbCount(kubectl);
  await ensureNamespace(kubectl, namespace);
  await kubectl.run(["apply", "-n", namespace, ...claims]);
  await start();
  equal(await sql(accountsChecksum), await productionSql(kubectl, accountsChecksum));
  const copied = ["wait", "--for=jsonpath={.status.phase}=Bound", "pvc/my-second-copy", "-n", namespace, "--timeout=120s"];
  await kubectl.run(copied);
  equal(await vdbCount(kubectl), known.vdbs + 2);
});

test("refresh and rewind by bare calls to DCT, as scripts do it: the VDB by its volume's name, the newest snapshot of its source or its own", {
  timeout: 600_000,
}, async () => {
  await withEngineAccess(kubectl, async (access) => {
    const dct = bareDct(access);
    const name = text(await kubectl.get("pvc", "my-copy", namespace), "spec", "volumeName");
    const [vdb = null] = await dct.found("/vdbs/search?limit=50&sort=id&permission=READ", `name EQ '${name}'`);
    const [id, source] = [text(vdb, "id"), text(vdb, "parent_dsource_id")];
    const newest = async (dataset: string): Promise<string> => {
      const [found = null] = await dct.found("/snapshots/search?limit=50&sort=-timestamp", `dataset_id EQ '${dataset}'`);
      return text(found, "id");
    };

    await sql("CREATE TABLE mine AS SELECT 1 AS n; CHECKPOINT");
    await dct.job(`/vdbs/${id}/snapshots`, {});
    await sql("DROP TABLE mine");
    await stop();
    await dct.job(`/vdbs/${id}/refresh_by_snapshot`, { snapshot_id: await newest(id) });
    await start();
    equal(await sql("SELECT n FROM mine"), "1", "its own snapshot: a rewind");

    await stop();
    const refused = await dct.post(`/vdbs/${id}/refresh_by_snapshot`, { snapshot_id: "null" });
    equal(refused.status, 400);
    match(refused.body, /snapshot_id is the word \\"null\\": the search for a snapshot has found none/u);
    await dct.job(`/vdbs/${id}/refresh_by_snapshot`, { snapshot_id: await newest(source) });
    await start();
    equal(await sql("SELECT to_regclass('mine') IS NULL"), "t", "its source's: a refresh");
    equal(await sql(accountsChecksum), await productionSql(kubectl, accountsChecksum));
  });
});

test("deleted, the samples' DCT VDBs go", { timeout: 600_000 }, async () => {
  await stop();
  await kubectl.run(["delete", "-n", namespace, ...claims, "--timeout=180s"]);
  await eventually("the DCT VDBs are gone", 180, async () => ((await vdbCount(kubectl)) === known.vdbs ? true : undefined));
});

test("a claim of a source that does not exist says so in its events, and waits", { timeout: 300_000 }, async () => {
  await ensureNamespace(kubectl, namespace);
  const annotations = { engineName: "delphix-engine", sourceDBName: "absent" };
  await kubectl.apply(JSON.stringify(claim("of-nothing", { namespace, annotations })));
  const message = await eventually("an event names the source", 120, async () => {
    const said = await kubectl.run([
      "get",
      "events",
      "-n",
      namespace,
      "--field-selector",
      "involvedObject.name=of-nothing,type=Warning",
      "-o",
      "jsonpath={.items[*].message}",
    ]);
    return said === "" ? undefined : said;
  });
  match(message, /absent/u);
});
