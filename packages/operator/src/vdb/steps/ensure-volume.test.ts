import { equal } from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolumeClaim } from "kube-runtime";
import type { ClaimPlan } from "../../data/source.ts";
import type { Origin } from "../context.ts";
import { ownerOf } from "../names.ts";
import { aVdb } from "../testing.ts";
import { decideVolume, type VolumePlan } from "./ensure-volume.ts";

const provisioned = { status: { pvcName: "orders-1", delphixID: "1-APPDATA_CONTAINER-2" } };
const owner = ownerOf(aVdb());
const plan: ClaimPlan = { kind: "make", labels: {}, annotations: {}, sizeBytes: 2 ** 30 };

function aClaim(phase: "Pending" | "Bound" | "Lost", ownerReferences = owner): PersistentVolumeClaim {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name: "orders-1",
      namespace: "shop",
      uid: "c",
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      ownerReferences,
    },
    spec: phase === "Pending" ? {} : { volumeName: "dlpx-c" },
    status: { phase },
  };
}

const rows: { name: string; why: string; vdb: object; claim: PersistentVolumeClaim | undefined; want: VolumePlan["kind"] }[] = [
  { name: "nothing yet", why: "a new database needs its volume", vdb: {}, claim: undefined, want: "create" },
  {
    name: "its claim was deleted",
    why: "a fresh clone in its place would look like the user's data, and not be it",
    vdb: provisioned,
    claim: undefined,
    want: "refuse",
  },
  { name: "being provisioned", why: "the provisioner is at work", vdb: {}, claim: aClaim("Pending"), want: "wait" },
  { name: "bound", why: "there is a volume", vdb: {}, claim: aClaim("Bound"), want: "bound" },
  { name: "somebody else's", why: "another's data must not be taken over", vdb: {}, claim: aClaim("Bound", []), want: "refuse" },
  {
    name: "a namesake's that was deleted and made anew",
    why: "ownership goes by uid, not by name",
    vdb: {},
    claim: aClaim(
      "Bound",
      owner.map((one) => ({ ...one, uid: "another" })),
    ),
    want: "refuse",
  },
  { name: "lost", why: "its volume is gone: no pod could start", vdb: provisioned, claim: aClaim("Lost"), want: "refuse" },
];
for (const { name, why, vdb, claim, want } of rows)
  test(`decideVolume: ${name}`, () => {
    const origin: Origin = claim === undefined ? { kind: "plan", plan } : { kind: "claim", claim };
    equal(decideVolume({ vdb: aVdb(vdb), origin }).kind, want, why);
  });
