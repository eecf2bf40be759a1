/** An open database of plain CSI under actions: its data lies on claims, of which the status names one. */
import type { ActionKind } from "@vdb/api";
import { persistentVolumeClaims } from "kube-runtime";
import { volumeSnapshots } from "../data/csi/volume-snapshots.ts";
import { makeStorage, playStorage } from "../data/testing/csi-storage.ts";
import { type ActionBench, actionBench, forever } from "./action-bench.ts";

const ready = "Ready";

/** On the claim orders-c1, cloned from the claim origin, or made from its snapshot monday. */
export async function claimsBench(
  kinds: readonly ActionKind[],
  type: "pvc-clone" | "k8s-snapshot" = "pvc-clone",
): Promise<ActionBench> {
  const bench = await actionBench(kinds);
  const source = { type, reference: type === "pvc-clone" ? "origin" : "monday" };
  await bench.setSpec({ source });
  await makeStorage(bench.client, await bench.vdb());
  bench.holdSnapshots = true; // the storage takes them itself
  bench.playStorage = playStorage;
  const handle = "handle-of-orders-c1";
  const content = { id: "c1", madeBy: "create", openedTime: "2026-01-01T00:10:00Z", claimName: "orders-c1", handle };
  const at = { lastTransitionTime: "2026-01-01T00:00:00Z", message: "as declared", observedGeneration: 1 };
  await bench.setVdb({
    delphixID: handle,
    content,
    source: { type, name: source.reference, namespace: "shop" },
    conditions: [{ type: ready, status: "True", reason: ready, ...at }],
  });
  return bench;
}

export const claimNames = async ({ client }: ActionBench): Promise<readonly string[]> =>
  (await client.list(persistentVolumeClaims, {}, forever)).items.map(({ metadata }) => metadata.name).toSorted();
export const snapshotNames = async ({ client }: ActionBench): Promise<readonly string[]> =>
  (await client.list(volumeSnapshots, {}, forever)).items.map(({ metadata }) => metadata.name).toSorted();
