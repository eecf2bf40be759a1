/** csi.attachRequired: Kubernetes attaches volumes by the stock attacher, and a VDB is enabled only while a pod needs it. */
import { deepEqual, equal } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ensureNamespace, eventually, testCluster, text, withEngine } from "@vdb/cluster";
import { isFullTier } from "kube-runtime/testing";
import { switchAttaching } from "./attaching.ts";
import { applyVdb, deleteVdb, makePasswordSecret, runAction, setEnabled, waitForPhase } from "./vdb.ts";
import { claim, pod, sleeps, together } from "./volumes/manifests.ts";

const kubectl = await testCluster();
const namespace = "attach";
const vdb = { name: "attached", namespace };
const starts = 10;
const refreshes = 5;
/** Each start and each stop takes 10 s, the pace at which a kubelet reports its volumes: too long for every run. */
const skip = !isFullTier;

const enabled = async (id: string): Promise<boolean | undefined> =>
  await withEngine(kubectl, async (engine) => (await engine.getVdb(id))?.enabled);
const attachments = async (): Promise<readonly string[]> =>
  (await kubectl.list("volumeattachments", [])).map((one) => text(one, "spec", "source", "persistentVolumeName"));
const startPod = async (): Promise<void> => {
  await kubectl.apply(together([pod("user", namespace, "used", sleeps)]));
  await kubectl.run(["wait", "--for=condition=Ready", "pod/user", "-n", namespace, "--timeout=120s"]);
};
const stopPod = async (): Promise<void> => void (await kubectl.run(["delete", "pod", "user", "-n", namespace, "--timeout=120s"]));
const detached = async (): Promise<void> =>
  void (await eventually("no volume is attached", 120, async () => ((await attachments()).length === 0 ? true : undefined)));

/** Seconds until a pod runs, and until its volume could be given other data: the parts of a refresh that attaching changes. */
async function measure(): Promise<{ readonly start: readonly number[]; readonly stop: readonly number[] }> {
  const took: { start: number[]; stop: number[] } = { start: [], stop: [] };
  for (let nth = 0; nth < starts; nth += 1) {
    const from = performance.now();
    await startPod();
    const running = performance.now();
    await stopPod();
    await detached();
    took.start.push((running - from) / 1000);
    took.stop.push((performance.now() - running) / 1000);
  }
  return took;
}

/** Seconds that each VDBRefresh takes. */
async function measureRefreshes(named: string): Promise<readonly number[]> {
  const took: number[] = [];
  for (let nth = 0; nth < refreshes; nth += 1) {
    const from = performance.now();
    await runAction(kubectl, vdb, { kind: "VDBRefresh", name: `${named}-${nth}`, spec: {} });
    await waitForPhase(kubectl, vdb, "Ready");
    took.push((performance.now() - from) / 1000);
  }
  return took;
}

const seconds = (all: readonly number[]): string =>
  all
    .toSorted((one, other) => one - other)
    .map((one) => one.toFixed(1))
    .join(" ");

describe("csi.attachRequired", { skip }, () => {
  before(async () => await ensureNamespace(kubectl, namespace));
  after(async () => {
    await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=240s"]);
    await switchAttaching(kubectl, false);
  });

  test("a VDB is enabled while its volume is attached, with and without the operator", { timeout: 900_000 }, async (t) => {
    await kubectl.apply(together([claim("used", { namespace })]));
    await kubectl.run(["wait", "--for=jsonpath={.status.phase}=Bound", "pvc/used", "-n", namespace, "--timeout=120s"]);
    const volume = text(await kubectl.get("pvc", "used", namespace), "spec", "volumeName");
    const id = text(await kubectl.get("pv", volume), "spec", "csi", "volumeHandle");
    await makePasswordSecret(kubectl, vdb);
    await applyVdb(kubectl, vdb);
    const own = text(await waitForPhase(kubectl, vdb, "Ready"), "status", "delphixID");
    const refreshed = await measureRefreshes("without");
    await setEnabled(kubectl, vdb, false);
    await waitForPhase(kubectl, vdb, "Stopped");
    const without = await measure();
    await switchAttaching(kubectl, true);
    await startPod();
    deepEqual([await attachments(), await enabled(id)], [[volume], true]);
    await stopPod();
    await detached();
    equal(await enabled(id), false);
    const attached = await measure();
    t.diagnostic(`seconds to a running pod: ${seconds(without.start)} without, ${seconds(attached.start)} with attaching`);
    t.diagnostic(
      `seconds until pod and volume are free: ${seconds(without.stop)} without, ${seconds(attached.stop)} with attaching`,
    );

    await setEnabled(kubectl, vdb, true);
    await waitForPhase(kubectl, vdb, "Ready");
    equal(await enabled(own), true);
    t.diagnostic(
      `seconds of a refresh: ${seconds(refreshed)} without, ${seconds(await measureRefreshes("with"))} with attaching`,
    );
    await setEnabled(kubectl, vdb, false);
    await eventually("the database is stopped and its VDB disabled", 120, async () =>
      (await enabled(own)) === false ? true : undefined,
    );
    await detached();
    await deleteVdb(kubectl, vdb);
    equal(await enabled(own), undefined, "gone");
  });
});
