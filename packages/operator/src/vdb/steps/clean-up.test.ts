import { deepEqual, equal } from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type Client,
  namespaces,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
} from "kube-runtime";
import type { Gone } from "../../data/source.ts";
import { claimName } from "../names.ts";
import { aPod, contentId, forever, type Given, meta, stepBench } from "../step-bench.ts";
import { aVdb } from "../testing.ts";
import { cleanUpSteps } from "./clean-up.ts";

const name = claimName(aVdb(), contentId);
const handle = "1-APPDATA_CONTAINER-2";
const aClaim = (more: object = {}): PersistentVolumeClaim => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: meta(name, more),
  spec: { volumeName: "dlpx-c" },
});
const [retained, recorded] = [{ deletionPolicy: "Retain" }, { pvcName: name, delphixVDB: "dlpx-c", delphixID: handle }];

interface Row {
  readonly name: string;
  readonly why: string;
  readonly step: "endPod" | "releaseVolume" | "confirmGone";
  readonly given?: Given;
  readonly claim?: PersistentVolumeClaim;
  /** The reclaim policy of the volume that is there. */
  readonly volume?: "Delete" | "Retain";
  readonly gone?: Gone["kind"];
  readonly want: string;
  readonly writes?: readonly string[];
}

const rows: readonly Row[] = [
  {
    name: "a pod that shuts down",
    why: "nothing is taken from under what still runs",
    step: "endPod",
    given: { pods: [aPod()] },
    want: "after Deleting",
  },
  { name: "no pod", why: "on to the volume", step: "endPod", want: "done" },
  {
    name: "its claim",
    why: "what to look for is recorded before the claim, which alone tells it, goes",
    step: "releaseVolume",
    claim: aClaim(),
    want: "after Deleting",
    writes: ["save", `delete persistentvolumeclaims ${name}`],
  },
  {
    name: "Retain",
    why: "the claim stays, and belongs to nobody",
    step: "releaseVolume",
    given: { spec: retained },
    claim: aClaim(),
    want: "done",
    writes: [`patch persistentvolumeclaims ${name}`],
  },
  {
    name: "somebody else's claim of that name",
    why: "what another made is never deleted",
    step: "releaseVolume",
    claim: aClaim({ ownerReferences: [] }),
    want: "done",
  },
  {
    name: "the volume is there",
    why: "the finalizer waits for the driver",
    step: "confirmGone",
    given: { status: recorded },
    volume: "Delete",
    want: "after Deleting",
  },
  {
    name: "a volume whose class says Retain",
    why: "it stays, and must not keep the object",
    step: "confirmGone",
    given: { status: recorded },
    volume: "Retain",
    want: "done",
  },
  { name: "all gone", why: "nothing is left", step: "confirmGone", given: { status: recorded }, want: "done" },
  {
    name: "the volume is gone, its data is not",
    why: "nothing is left in silence",
    step: "confirmGone",
    given: { status: recorded },
    gone: "remains",
    want: "after Deleting",
  },
  {
    name: "nobody answers, and there was a volume",
    why: "it goes only after its driver has deleted the data",
    step: "confirmGone",
    given: { status: recorded },
    gone: "unknown",
    want: "done",
  },
  {
    name: "nobody answers, and there never was a volume",
    why: "nobody can know what was begun",
    step: "confirmGone",
    given: { status: { delphixVDB: "dlpx-c" } },
    gone: "unknown",
    want: "after Deleting",
  },
  { name: "nothing was ever made", why: "nobody is asked", step: "confirmGone", gone: "remains", want: "done" },
];

/** The same of a database whose deletion has begun three seconds ago: the message. */
const late = async (step: Row["step"], given: Given, seed: (client: Client) => Promise<unknown> = async () => undefined) => {
  const { ctx, client, clock } = await stepBench(given);
  await seed(client);
  const deletionTimestamp = new Date(clock.now() - 3000).toISOString();
  const vdb = { ...ctx.vdb, metadata: { ...ctx.vdb.metadata, deletionTimestamp } };
  const end = await cleanUpSteps.find((one) => one.name === step)?.run({ ...ctx, vdb }, forever);
  return end?.kind === "done" ? "done" : (end?.message ?? "");
};

describe("clean-up", () => {
  for (const { name: title, why, step, given = {}, claim, volume, gone = "gone", want, writes = [] } of rows)
    test(`${step}: ${title}`, async () => {
      const answer: Gone = gone === "gone" ? { kind: gone } : { kind: gone, message: "DCT still has it" };
      const own = claim === undefined ? {} : { claim };
      const bench = await stepBench({ ...given, ...own, source: { gone: async () => answer } });
      if (claim !== undefined) await bench.client.create(persistentVolumeClaims, claim, forever);
      if (volume !== undefined) {
        const spec = { persistentVolumeReclaimPolicy: volume };
        await bench.client.create(persistentVolumes, { metadata: { name: "dlpx-c" }, spec }, forever);
      }
      bench.writes.length = 0;
      const end = await cleanUpSteps.find((one) => one.name === step)?.run(bench.ctx, forever);
      equal([end?.kind, ...(end?.kind === "done" ? [] : [end?.reason])].join(" "), want, why);
      deepEqual(bench.writes, writes, why);
    });

  test("endPod: a pod that somebody's finalizer keeps", async () => {
    equal(
      await late("endPod", { pods: [aPod({}, { finalizers: ["example.com/backup"] })] }),
      "PostgreSQL shuts down in pod orders-pod: finalizer example.com/backup of the pod keeps it; whoever has set it has to remove it",
    );
  });

  test("releaseVolume: a claim that another pod uses", async () => {
    const claim = aClaim({ finalizers: ["kubernetes.io/pvc-protection"] });
    const volumes = [{ name: "data", persistentVolumeClaim: { claimName: name } }];
    const theirs = { metadata: { name: "theirs", namespace: "shop" }, spec: { containers: [], volumes } };
    const message = await late("releaseVolume", { claim }, async (client) => {
      await client.create(persistentVolumeClaims, claim, forever);
      await client.create(pods, theirs, forever);
    });
    equal(message, `Kubernetes deletes the claim ${name}: pod theirs still uses it; delete the pod`);
  });

  for (const [title, ending, phase, want] of [
    ["in a namespace that is deleted, the driver is left to delete it", true, "Released", "done"],
    ["in one that stays, the operator waits", false, "Released", "the CSI driver deletes the volume dlpx-c"],
    ["one whose claim Kubernetes still thinks is there", true, "Bound", "the CSI driver deletes the volume dlpx-c"],
  ] as const)
    test(`confirmGone: a volume that is still there: ${title}`, async () => {
      const message = await late("confirmGone", { status: recorded }, async (client) => {
        const spec = { persistentVolumeReclaimPolicy: "Delete" as const };
        const finalizers = ["external-provisioner.volume.kubernetes.io/finalizer"];
        await client.create(persistentVolumes, { metadata: { name: "dlpx-c", finalizers }, spec }, forever);
        await client.patchStatus(persistentVolumes, { name: "dlpx-c" }, { status: { phase } }, forever);
        await client.create(namespaces, { metadata: { name: "shop", finalizers: ["kubernetes"] } }, forever);
        if (ending) await client.delete(namespaces, { name: "shop" }, forever);
      });
      equal(message, want);
    });

  for (const [agoSeconds, want] of [
    [1, "the CSI driver deletes the volume dlpx-c"],
    [3, "the CSI driver deletes the volume dlpx-c: VDB dlpx-c has snapshots: delete VolumeSnapshot shop/nightly first"],
  ] as const)
    test(`confirmGone: a volume that is still there after ${agoSeconds} s: the driver's refusal is told when it is late`, async () => {
      const note =
        "rpc error: code = FailedPrecondition desc = VDB dlpx-c has snapshots: delete VolumeSnapshot shop/nightly first";
      const refusal = { metadata: meta("e"), type: "Warning", note, reason: "VolumeFailedDelete" };
      const { ctx, client, clock } = await stepBench({ status: recorded, events: [refusal] });
      const spec = { persistentVolumeReclaimPolicy: "Delete" as const };
      await client.create(persistentVolumes, { metadata: { name: "dlpx-c" }, spec }, forever);
      const deletionTimestamp = new Date(clock.now() - agoSeconds * 1000).toISOString();
      const vdb = { ...ctx.vdb, metadata: { ...ctx.vdb.metadata, deletionTimestamp } };
      const end = await cleanUpSteps.find((one) => one.name === "confirmGone")?.run({ ...ctx, vdb }, forever);
      equal(end !== undefined && "message" in end ? end.message : undefined, want);
    });
});
