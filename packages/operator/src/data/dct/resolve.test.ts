import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { resolution } from "./resolve.ts";

test("a source without a point in time is not ready, with its own word for why", () => {
  const names = { engine: "e", name: "production", group: "g", environment: "v" };
  const found = resolution({ kind: "dSource", dataset: { id: "1", status: "INITIALIZING" }, latestSnapshot: undefined }, names);
  deepEqual(found, {
    ok: false,
    reason: "SourceNotReady",
    message: "dSource production of engine e has no snapshot yet (its status: INITIALIZING)",
  });
});

test("a VDB is ready as a source with or without a snapshot, but not while it is made; its point in time comes with the copy", () => {
  const names = { engine: "e", name: "v", group: "g", environment: "v" };
  const dataset = { id: "2", status: "RUNNING", database_version: "16" };
  const latestSnapshot = { id: "s", timestamp: "2026-01-01T00:00:00Z", version: "16.2" };
  for (const snapshot of [undefined, latestSnapshot]) {
    const found = resolution({ kind: "VDB", dataset, latestSnapshot: snapshot }, names);
    const { postgresVersion, dataTimestamp, snapshotId } = found.ok ? found.source : {};
    deepEqual([found.ok, postgresVersion, dataTimestamp, snapshotId], [true, snapshot?.version ?? "16", undefined, undefined]);
  }
  const making = { kind: "VDB", dataset: { ...dataset, status: "PROVISIONING" }, latestSnapshot: undefined } as const;
  equal(resolution(making, names).ok, false);
});
