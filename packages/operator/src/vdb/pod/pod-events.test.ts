import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { Event } from "kube-runtime";
import { podTrouble } from "./pod-events.ts";
import { stableWords } from "./stable-words.ts";

const warning = (reason: string, note: string, eventTime = "2026-01-01T00:00:00Z"): Event => ({
  apiVersion: "events.k8s.io/v1",
  kind: "Event",
  metadata: { name: "e", uid: "u", resourceVersion: "1", creationTimestamp: eventTime },
  eventTime,
  type: "Warning",
  reason,
  action: "Binding",
  note,
  regarding: {},
  reportingController: "kubelet",
  reportingInstance: "node-1",
});
const id = (digit: string): string => digit.repeat(64);
const sandbox = (digit: string): string =>
  `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "${id(digit)}": plugin type="bridge" failed (add): netns "/var/run/netns/cni-${digit.repeat(8)}-1111-2222-3333-${digit.repeat(12)}": read tcp 10.0.0.1:5${digit}123->10.0.0.2:443: i/o timeout`;

test("podTrouble: a volume that cannot be mounted and a sandbox that cannot be made are two things", () => {
  deepEqual(podTrouble("orders-1", [warning("FailedMount", "no such device")]), {
    reason: "MountFailed",
    message: "cannot mount the volume of pod orders-1: no such device",
  });
  equal(podTrouble("orders-1", [warning("FailedCreatePodSandBox", sandbox("3"))])?.reason, "SandboxFailed");
  equal(podTrouble("orders-1", [warning("FailedScheduling", "no node")]), undefined);
});

test("podTrouble: the newest counts, in whatever order they are listed", () => {
  const [old, recent] = [warning("FailedMount", "old"), warning("FailedMount", "new", "2026-01-01T00:00:09Z")];
  equal(podTrouble("p", [recent, old])?.message, podTrouble("p", [old, recent])?.message);
  equal(podTrouble("p", [recent, old])?.message, "cannot mount the volume of pod p: new");
});

test("podTrouble: each try has other ids, and the same message", () => {
  const [one, other] = ["1", "2"].map((digit) => podTrouble("p", [warning("FailedCreatePodSandBox", sandbox(digit))])?.message);
  equal(one, other);
  equal(
    one,
    'cannot create the sandbox of pod p: rpc error: code = Unknown desc = failed to setup network for sandbox: plugin type="bridge" failed (add): ' +
      'netns "/var/run/netns/its network": read tcp 10.0.0.1->10.0.0.2:443: i/o timeout; fix on the node what this names',
  );
});

test("podTrouble: a sandbox without memory says which field", () => {
  const note = "Failed to create pod sandbox: container init was OOM-killed (memory limit too low?): unknown";
  equal(
    podTrouble("p", [warning("FailedCreatePodSandBox", note)])?.message,
    "cannot create the sandbox of pod p: container init was OOM-killed (memory limit too low?): unknown; raise spec.resources.limits.memory",
  );
});

test("stableWords: what names the matter stays", () => {
  const rows: [string, string][] = [
    [`image postgres@sha256:${id("c")} is absent`, `image postgres@sha256:${id("c")} is absent`],
    [
      `reserve sandbox name "orders_shop_uid_3": name is reserved for "${id("d")}"`,
      "reserve sandbox name of the pod: name is reserved for",
    ],
    [
      "volume dlpx-0a1b2c3d-1111-2222-3333-444455556666 at 2026-01-31T12:00:00.5Z by process 17",
      "volume dlpx-0a1b2c3d-1111-2222-3333-444455556666 at a moment by a process",
    ],
  ];
  for (const [given, want] of rows) equal(stableWords(given), want);
});
