import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { Event } from "kube-runtime";
import { type ClaimTrouble, claimTrouble } from "./claim-events.ts";

function anEvent(note: string, eventTime = "2026-01-01T00:00:00Z", type: Event["type"] = "Warning"): Event {
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: "e", uid: "u", resourceVersion: "1", creationTimestamp: eventTime },
    eventTime,
    type,
    reason: "ProvisioningFailed",
    action: "Provision",
    note,
    regarding: {},
    reportingController: "p",
    reportingInstance: "p",
  };
}

const counted = (note: string, first: string, last: string): Event => ({
  ...anEvent(note, first),
  eventTime: null,
  deprecatedLastTimestamp: last,
});

const failed = (code: string, words: string): string =>
  `failed to provision volume with StorageClass "de-fs-storage": rpc error: code = ${code} desc = ${words}`;

const rows: { name: string; why: string; given: readonly Event[]; want: ClaimTrouble | undefined }[] = [
  { name: "no event", why: "it may simply take a while", given: [], want: undefined },
  {
    name: "no warning",
    why: "a normal event tells of no trouble",
    given: [anEvent("Waiting for a volume", undefined, "Normal")],
    want: undefined,
  },
  {
    name: "no room",
    why: "somebody has to make room",
    given: [anEvent(failed("ResourceExhausted", "the pool has 12 bytes left"))],
    want: { reason: "StorageFull", message: "the pool has too little left", passes: false },
  },
  {
    name: "no room, told with bytes that each try counts anew",
    why: "a condition must not change for that; how much is needed stays",
    given: [
      anEvent(
        failed(
          "ResourceExhausted",
          "no room in pool /pool for VDB d: 52428800 bytes (50 MiB) free, 1073741824 bytes (1024 MiB) needed; delete VDBs",
        ),
      ),
    ],
    want: {
      reason: "StorageFull",
      message: "no room in pool /pool for VDB d: too little free, 1073741824 bytes (1024 MiB) needed; delete VDBs",
      passes: false,
    },
  },
  {
    name: "no room, in another storage's words",
    why: "units and order differ",
    given: [anEvent(failed("ResourceExhausted", "only 1.5 GiB available of 20 GiB"))],
    want: { reason: "StorageFull", message: "too little available of 20 GiB", passes: false },
  },
  {
    name: "DCT out of reach",
    why: "the provisioner tries again, and may well succeed",
    given: [anEvent(failed("Unavailable", "DCT does not answer"))],
    want: { reason: "ProvisioningFailed", message: "DCT does not answer", passes: true },
  },
  {
    name: "no such class",
    why: "the claim waits for ever",
    given: [anEvent('storageclass.storage.k8s.io "absent" not found')],
    want: { reason: "StorageClassNotFound", message: 'storageclass.storage.k8s.io "absent" not found', passes: false },
  },
  {
    name: "several warnings",
    why: "the newest tells what is the matter now",
    given: [
      anEvent(failed("Unavailable", "old"), "2026-01-01T00:00:00Z"),
      anEvent(failed("NotFound", "new"), "2026-01-01T00:00:09Z"),
      anEvent(failed("Internal", "older"), "2025-01-01T00:00:00Z"),
    ],
    want: { reason: "ProvisioningFailed", message: "new", passes: false },
  },
  {
    name: "warnings of the older API",
    why: "csi-provisioner counts one up in place: it is as new as its last time, whenever it first appeared",
    given: [
      counted(failed("ResourceExhausted", "still full"), "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"),
      counted(failed("Unavailable", "passed"), "2026-01-01T00:00:05Z", "2026-01-01T00:00:05Z"),
    ],
    want: { reason: "StorageFull", message: "still full", passes: false },
  },
];
for (const { name, why, given, want } of rows) test(`claimTrouble: ${name}`, () => deepEqual(claimTrouble(given), want, why));
