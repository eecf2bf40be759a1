/** The driver without the operator: an annotated claim and a pod of one's own. */
import { equal, match } from "node:assert/strict";
import { after, test } from "node:test";
import { ensureNamespace, eventually, productionSql, testCluster } from "@vdb/cluster";
import { accountsChecksum, vdbCount } from "./vdb.ts";
import { claim } from "./volumes/manifests.ts";

const kubectl = await testCluster();
const namespace = "driver-path";
const folder = new URL("../samples/driver", import.meta.url).pathname;

after(async () => void (await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=240s"])));

test("the samples: an annotated claim and a Deployment of one's own hold the source's data; deleted, the DCT VDBs go", {
  timeout: 900_000,
}, async () => {
  const before = await vdbCount(kubectl);
  await ensureNamespace(kubectl, namespace);
  const samples = ["claim", "deployment", "copy-of-claim"].flatMap((name) => ["-f", `${folder}/${name}.yaml`]);
  await kubectl.run(["apply", "-n", namespace, ...samples]);
  await kubectl.run(["rollout", "status", "deployment/my-postgres", "-n", namespace, "--timeout=240s"]);
  const answer = await kubectl.run(
    ["exec", "-i", "-n", namespace, "deploy/my-postgres", "--", "psql", "-U", "postgres", "-qXAt", "-f", "-"],
    { input: accountsChecksum },
  );
  equal(answer, await productionSql(kubectl, accountsChecksum));
  const copied = ["wait", "--for=jsonpath={.status.phase}=Bound", "pvc/my-second-copy", "-n", namespace, "--timeout=120s"];
  await kubectl.run(copied);
  equal(await vdbCount(kubectl), before + 2);
  await kubectl.run(["delete", "-n", namespace, ...samples, "--timeout=180s"]);
  await eventually("the DCT VDBs are gone", 180, async () => ((await vdbCount(kubectl)) === before ? true : undefined));
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
