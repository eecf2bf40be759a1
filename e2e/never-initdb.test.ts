/** An unmounted, empty or misplaced volume must never become an empty database that says Ready. */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually, inNode, testCluster, text } from "@vdb/cluster";
import { applyVdb, condition, deleteVdb, makePasswordSecret, setEnabled, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const vdb = { name: "emptied", namespace: "pg-operator" };

before(async () => void (await makePasswordSecret(kubectl, vdb)));
after(async () => await deleteVdb(kubectl, vdb));

/** Every pod so far and how often its container was started: another one after each try. */
async function triesOf(): Promise<string> {
  const pods = await kubectl.list("pods", ["-n", vdb.namespace, "-l", `app.kubernetes.io/instance=${vdb.name}`]);
  return pods
    .map((pod) => `${text(pod, "metadata", "name")} ${text(pod, "status", "containerStatuses", 0, "restartCount")}`)
    .join();
}

/** Each phase that is seen within some seconds, in order. */
async function phasesFor(seconds: number): Promise<readonly string[]> {
  const seen: string[] = [];
  await kubectl.try(["get", "postgresvdb", vdb.name, "-n", vdb.namespace, "-w", "-o", "jsonpath={.status.phase}{'\\n'}"], {
    signal: AbortSignal.timeout(seconds * 1000),
    onLine: (phase) => {
      if (phase !== seen.at(-1)) seen.push(phase);
    },
  });
  return seen;
}

test("a VDB whose volume was emptied is in Error NotADatabase, and no database was made", { timeout: 300_000 }, async () => {
  await applyVdb(kubectl, vdb);
  const ready = await waitForPhase(kubectl, vdb, "Ready");
  const data = `/var/lib/delphix-engine/pool/vdbs/${text(ready, "status", "delphixID")}/data`;
  await setEnabled(kubectl, vdb, false);
  await waitForPhase(kubectl, vdb, "Stopped");
  await inNode(["mv", data, `${data}.away`]);
  await setEnabled(kubectl, vdb, true);
  const broken = await waitForPhase(kubectl, vdb, "Error");
  const found = condition(broken, "Ready");
  equal(found?.reason, "NotADatabase");
  match(found?.message ?? "", /PG_VERSION/u);
  notEqual(condition(broken, "Ready")?.status, "True");
  const tries = await triesOf();
  deepEqual(await phasesFor(40), ["Error"], "it stays in Error while it is tried again");
  notEqual(await triesOf(), tries, "it was tried again: else this proves nothing");
  equal(await inNode(["sh", "-c", `ls -A ${data} 2>/dev/null | wc -l`]), "0", "nothing was written where the database was");

  await inNode(["sh", "-c", `rmdir ${data} 2>/dev/null; mv ${data}.away ${data}`]);
  await eventually("with its data back it is Ready", 120, async () => {
    const again = await kubectl.get("postgresvdb", vdb.name, vdb.namespace);
    return text(again, "status", "phase") === "Ready" ? true : undefined;
  });
});
