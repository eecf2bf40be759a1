/** An unmounted, empty or misplaced volume must never become an empty database that says Ready. */
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually, inNode, testCluster, text } from "@vdb/cluster";
import { poolDir } from "./pool.ts";
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

/** However long the kubelet waits from one try to the next. */
async function untilTriedAgain(times: number): Promise<void> {
  for (let left = times; left > 0; left -= 1) {
    const tries = await triesOf();
    await eventually("it is tried again", 300, async () => ((await triesOf()) === tries ? undefined : true));
  }
}

/** Each phase that is seen until `work` is done, in order. */
async function phasesDuring(work: () => Promise<void>): Promise<readonly string[]> {
  const seen: string[] = [];
  const done = new AbortController();
  const watching = kubectl.try(
    ["get", "postgresvdb", vdb.name, "-n", vdb.namespace, "-w", "-o", "jsonpath={.status.phase}{'\\n'}"],
    {
      signal: done.signal,
      onLine: (phase) => {
        if (phase !== seen.at(-1)) seen.push(phase);
      },
    },
  );
  try {
    await work();
  } finally {
    done.abort();
    await watching;
  }
  return seen;
}

test("a VDB whose volume was emptied is in Error NotADatabase, and no database was made", { timeout: 900_000 }, async () => {
  await applyVdb(kubectl, vdb);
  const ready = await waitForPhase(kubectl, vdb, "Ready");
  const data = `${poolDir}/vdbs/${text(ready, "status", "delphixID")}/data`;
  await setEnabled(kubectl, vdb, false);
  await waitForPhase(kubectl, vdb, "Stopped");
  await inNode(["mv", data, `${data}.away`]);
  await setEnabled(kubectl, vdb, true);
  const broken = await waitForPhase(kubectl, vdb, "Error");
  const found = condition(broken, "Ready");
  equal(found?.reason, "NotADatabase");
  match(found?.message ?? "", /PG_VERSION/u);
  notEqual(condition(broken, "Ready")?.status, "True");
  const phases = await phasesDuring(async () => await untilTriedAgain(2));
  deepEqual(phases, ["Error"], "it stays in Error while it is tried again");
  equal(await inNode(["sh", "-c", `ls -A ${data} 2>/dev/null | wc -l`]), "0", "nothing was written where the database was");

  await inNode(["sh", "-c", `rmdir ${data} 2>/dev/null; mv ${data}.away ${data}`]);
  await eventually("with its data back it is Ready", 400, async () => {
    const again = await kubectl.get("postgresvdb", vdb.name, vdb.namespace);
    return text(again, "status", "phase") === "Ready" ? true : undefined;
  });
});
