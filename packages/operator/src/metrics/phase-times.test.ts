import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { CacheEvent } from "kube-runtime";
import { type Phased, phaseTimes } from "./phase-times.ts";

const inPhase = (phase: string, uid = "a"): Phased => ({
  apiVersion: "v1",
  kind: "Thing",
  metadata: { name: "x", uid, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
  status: { phase },
});

test("a phase that an object has left is told with its seconds; resting, and what began unseen, is not", () => {
  const told: string[] = [];
  let nowMs = 0;
  const times = phaseTimes(
    () => nowMs,
    (phase, seconds) => told.push(`${phase} ${seconds}`),
  );
  const at = (seconds: number, event: Pick<CacheEvent<Phased>, "type" | "object"> & { readonly initial?: boolean }): void => {
    nowMs = seconds * 1000;
    const { type, object, initial = false } = event;
    const origin = undefined;
    if (type === "added") times.on({ type, object, initial, origin });
    else if (type === "updated") times.on({ type, object, before: object, origin });
    else times.on({ type, object, origin });
  };
  at(0, { type: "added", object: inPhase("Pending") });
  at(1, { type: "updated", object: inPhase("Pending") });
  at(2, { type: "updated", object: inPhase("Provisioning") });
  at(5, { type: "updated", object: inPhase("Ready") });
  at(900, { type: "updated", object: inPhase("Terminating") });
  at(904, { type: "deleted", object: inPhase("Terminating") });
  deepEqual(told, ["Pending 2", "Provisioning 3", "Terminating 4"]);

  told.length = 0;
  at(1000, { type: "added", object: inPhase("Deploying", "old"), initial: true }); // from before this process
  at(1001, { type: "updated", object: inPhase("Configuring", "old") });
  at(1003, { type: "updated", object: inPhase("Ready", "old") });
  at(1004, { type: "deleted", object: inPhase("Ready", "never seen") });
  deepEqual(told, ["Configuring 2"]);
});
