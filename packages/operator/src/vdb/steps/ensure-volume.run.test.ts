import { deepEqual, equal, match } from "node:assert/strict";
import { describe, test } from "node:test";
import { type ConfigMap, type PersistentVolumeClaim, persistentVolumeClaims, persistentVolumes } from "kube-runtime";
import type { ClaimPlan } from "../../data/source.ts";
import type { VdbContext } from "../context.ts";
import { claimName } from "../names.ts";
import { contentId, forever, type Given, meta, refusedBy, stepBench } from "../step-bench.ts";
import { aVdb } from "../testing.ts";
import { ensureVolume } from "./ensure-volume.ts";

const name = claimName(aVdb(), contentId);
const handle = "1-APPDATA_CONTAINER-2";
const plan: ClaimPlan = { kind: "make", labels: {}, annotations: {}, sizeBytes: 2 ** 30 };
/** With what resolveSource finds. */
const withOrigin = (ctx: VdbContext) => {
  const { claim } = ctx;
  const accepted = { settings: "", password: { kind: "missing", reason: "SecretNotFound", message: "" } as const };
  return {
    ...ctx,
    ...accepted,
    origin: claim === undefined ? ({ kind: "plan", plan } as const) : ({ kind: "claim", claim } as const),
  };
};
const aClaim = (phase: "Pending" | "Bound", more: object = {}): PersistentVolumeClaim => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: meta(name, more),
  spec: phase === "Bound" ? { volumeName: "dlpx-c" } : {},
  status: { phase },
});
const configMap: ConfigMap = { apiVersion: "v1", kind: "ConfigMap", metadata: meta("orders-postgres-config") };
const warning = (note: string) => ({ metadata: meta("e"), type: "Warning", note, reason: "ProvisioningFailed" });

interface Row {
  readonly name: string;
  readonly why: string;
  readonly given?: Given;
  /** The API server has it, the caches do not: it has lost its labels, or is somebody else's. */
  readonly unseen?: PersistentVolumeClaim;
  readonly volume?: "csi" | "other";
  readonly want: string;
  readonly writes: readonly string[];
}

const rows: readonly Row[] = [
  {
    name: "nothing yet",
    why: "what it is made from is recorded before it is made: nobody looks at the source again",
    want: "after Provisioning",
    writes: ["save", `create persistentvolumeclaims ${name}`],
  },
  {
    name: "a quota does not let it in",
    why: "a person mends the quota, and no watch tells",
    given: {
      beforeCall: (call) => {
        if (call.startsWith("create persistentvolumeclaims")) throw refusedBy("forbidden", "exceeded quota");
      },
    },
    want: "terminal ProvisioningFailed",
    writes: ["save"],
  },
  {
    name: "its claim without labels",
    why: "it is found again and not made twice",
    unseen: aClaim("Bound"),
    want: "waiting Provisioning",
    writes: [`patch persistentvolumeclaims ${name}`],
  },
  {
    name: "a namesake of somebody else's",
    why: "another's data is not taken over",
    unseen: aClaim("Bound", { ownerReferences: [] }),
    want: "terminal ClaimNotOurs",
    writes: [],
  },
  {
    name: "its claim is gone with the data",
    why: "a fresh clone would look like the user's data, and not be it",
    given: { status: { pvcName: name, delphixID: handle } },
    want: "terminal ClaimNotFound",
    writes: [],
  },
  {
    name: "the provisioner is at work",
    why: "nothing to do but wait",
    given: { claim: aClaim("Pending") },
    want: "after Provisioning",
    writes: [],
  },
  {
    name: "the provisioner has failed in passing",
    why: "it tries again by itself",
    given: { claim: aClaim("Pending"), events: [warning("rpc error: code = Unavailable desc = the engine starts")] },
    want: "after ProvisioningFailed",
    writes: [],
  },
  {
    name: "the storage is full",
    why: "a person makes room",
    given: { claim: aClaim("Pending"), events: [warning("rpc error: code = ResourceExhausted desc = no space")] },
    want: "terminal StorageFull",
    writes: [],
  },
  {
    name: "bound",
    why: "the handle is recorded before any pod: from then on the source cannot change",
    given: { claim: aClaim("Bound"), configMap },
    volume: "csi",
    want: "done",
    writes: ["save"],
  },
  {
    name: "bound, and there are no settings yet",
    why: "the handle is recorded when they are announced, which is before any pod too",
    given: { claim: aClaim("Bound") },
    volume: "csi",
    want: "done",
    writes: [],
  },
  {
    name: "bound and recorded",
    why: "a run that finds all as it should be writes nothing",
    given: {
      claim: aClaim("Bound"),
      status: {
        pvcName: name,
        content: { id: contentId, claimName: name, madeBy: "create" },
        delphixVDB: "dlpx-c",
        delphixID: handle,
      },
    },
    want: "done",
    writes: [],
  },
  {
    name: "bound to a volume of no driver",
    why: "nobody could tell what it is a clone of",
    given: { claim: aClaim("Bound") },
    volume: "other",
    want: "after ProvisioningFailed",
    writes: [],
  },
  {
    name: "bound, but deleted by somebody",
    why: "Kubernetes keeps it while a pod uses it: the database runs on, and the user is told to dump it",
    given: {
      claim: aClaim("Bound", { deletionTimestamp: "2026-01-01T00:00:00Z" }),
      status: {
        pvcName: name,
        content: { id: contentId, claimName: name, madeBy: "create" },
        delphixVDB: "dlpx-c",
        delphixID: handle,
      },
    },
    want: "done",
    writes: [],
  },
];

describe("ensureVolume", () => {
  for (const { name: title, why, given = {}, unseen, volume, want, writes } of rows)
    test(title, async () => {
      const bench = await stepBench(given);
      if (unseen !== undefined) await bench.client.create(persistentVolumeClaims, unseen, forever);
      if (volume !== undefined) {
        const csi = { driver: "defs.csi.delphix.com", volumeHandle: handle };
        const spec = volume === "csi" ? { csi } : {};
        await bench.client.create(persistentVolumes, { metadata: { name: "dlpx-c" }, spec }, forever);
      }
      bench.writes.length = 0;
      const outcome = await ensureVolume.run(withOrigin(bench.ctx), forever);
      equal([outcome.kind, ...(outcome.kind === "done" ? [] : [outcome.reason])].join(" "), want, why);
      deepEqual(bench.writes, writes, why);
    });

  test("the snapshot that was taken is recorded in place of the one that was the newest", async () => {
    const facts = { dataTimestamp: "2025-12-31T23:00:00Z", snapshot: { id: "s1", name: "@1" } };
    const bench = await stepBench({
      claim: aClaim("Bound"),
      status: { dataTimestamp: "2026-01-01T00:00:00Z", source: { type: "dct-source", snapshotId: "s2", snapshotName: "@2" } },
      source: { facts: async () => ({ kind: "told", value: facts }) },
    });
    const csi = { driver: "defs.csi.delphix.com", volumeHandle: handle };
    await bench.client.create(persistentVolumes, { metadata: { name: "dlpx-c" }, spec: { csi } }, forever);
    equal((await ensureVolume.run(withOrigin(bench.ctx), forever)).kind, "done");
    const { dataTimestamp, source, delphixID } = bench.ctx.run.status;
    deepEqual([dataTimestamp, source?.snapshotId, source?.snapshotName, delphixID], [facts.dataTimestamp, "s1", "@1", handle]);
  });

  test("a source that does not answer costs the facts, not the database", async () => {
    const bench = await stepBench({
      claim: aClaim("Bound"),
      source: { facts: async () => ({ kind: "untold", message: "down" }) },
    });
    const csi = { driver: "defs.csi.delphix.com", volumeHandle: handle };
    await bench.client.create(persistentVolumes, { metadata: { name: "dlpx-c" }, spec: { csi } }, forever);
    equal((await ensureVolume.run(withOrigin(bench.ctx), forever)).kind, "done");
    match(bench.ctx.run.status.delphixID ?? "", /CONTAINER/u);
  });

  test("a claim that somebody deleted is told by an event once, whatever the words are", async () => {
    const recorded = {
      pvcName: name,
      content: { id: contentId, claimName: name, madeBy: "create" },
      delphixVDB: "dlpx-c",
      delphixID: handle,
    };
    const told = { type: "Provisioned", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z", message: "in other words" };
    for (const [reason, events] of [
      ["Provisioned", ["ClaimDeleted"]],
      ["ClaimDeleted", []],
    ] as const) {
      const claim = aClaim("Bound", { deletionTimestamp: "2026-01-01T00:00:00Z" });
      const bench = await stepBench({ claim, status: { ...recorded, conditions: [{ ...told, reason }] } });
      const outcome = await ensureVolume.run(withOrigin(bench.ctx), forever);
      deepEqual([outcome.kind, outcome.reason, bench.events], ["done", "ClaimDeleted", events]);
    }
  });
});
