import { equal } from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolume, Pod } from "kube-runtime";
import { meta } from "../step-bench.ts";
import { claimKeptBy, isLeftToDriver, keptBy } from "./blockers.ts";

const object = (finalizers: readonly string[]) => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: meta("orders-c", { finalizers }),
  spec: {},
});
const pod = (name: string, claimName: string, phase: "Running" | "Succeeded" = "Running"): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: meta(name),
  spec: { containers: [], volumes: [{ name: "data", persistentVolumeClaim: { claimName } }] },
  status: { phase },
});

test("keptBy: finalizers of others, by name", () => {
  equal(keptBy(object([]), "claim"), "");
  equal(keptBy(object(["kubernetes.io/pvc-protection"]), "claim"), "", "Kubernetes' own goes by itself");
  equal(
    keptBy(object(["example.com/backup"]), "claim"),
    ": finalizer example.com/backup of the claim keeps it; whoever has set it has to remove it",
  );
  equal(
    keptBy(object(["z.io/b", "a.io/b"]), "pod"),
    ": finalizers a.io/b, z.io/b of the pod keeps it; whoever has set them has to remove them",
  );
});

test("claimKeptBy: pods that use it come first, for Kubernetes waits for them", () => {
  const claim = object(["kubernetes.io/pvc-protection", "example.com/backup"]);
  equal(
    claimKeptBy(claim, [pod("theirs", "orders-c"), pod("other", "another"), pod("job", "orders-c", "Succeeded")]),
    ": pod theirs still uses it; delete the pod",
  );
  equal(claimKeptBy(claim, []), ": finalizer example.com/backup of the claim keeps it; whoever has set it has to remove it");
});

const volume = (
  policy: "Delete" | "Retain",
  phase: "Bound" | "Released" | "Failed",
  finalizers: readonly string[],
): PersistentVolume => ({
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: meta("dlpx-c", { finalizers }),
  spec: { persistentVolumeReclaimPolicy: policy },
  status: { phase },
});

test("isLeftToDriver: only a volume that outlives its claim until its data is deleted", () => {
  const until = "external-provisioner.volume.kubernetes.io/finalizer";
  const rows: [string, PersistentVolume, boolean][] = [
    ["released", volume("Delete", "Released", [until]), true],
    ["the driver has refused", volume("Delete", "Failed", [until]), true],
    ["Kubernetes has not seen yet that the claim is gone", volume("Delete", "Bound", [until]), false],
    ["an older provisioner, which may forget it", volume("Delete", "Released", ["kubernetes.io/pv-protection"]), false],
    ["Retain", volume("Retain", "Released", [until]), false],
  ];
  for (const [why, given, want] of rows) equal(isLeftToDriver(given), want, why);
});
