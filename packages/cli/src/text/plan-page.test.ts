import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { assertGolden } from "../testing/golden.ts";
import { readyVdb } from "../testing/objects.ts";
import { recorded } from "../testing/world.ts";
import { deletionPage, planPage } from "./plan-page.ts";
import { sizeText } from "./size.ts";

const steps = [
  { name: "pre-refresh-hooks", phase: "PreRefresh" },
  { name: "prepare-content", phase: "PreRefresh" },
  { name: "hold-database", phase: "Stopping" },
  { name: "cut-over", phase: "Refreshing" },
];

test("the page of a plan", () =>
  assertGolden(
    "plan",
    planPage(recorded(), "The refresh of PostgresVDB shop/orders", {
      steps,
      snapshot: { type: "dct-snapshot", name: "1-APPDATA_SNAPSHOT-7", timestamp: "2026-01-31T11:00:00Z" },
      hooks: [
        { stage: "pre-refresh", name: "drain" },
        { stage: "post-refresh", name: "mask" },
      ],
      blockers: [],
      lost: {
        since: "2026-01-30T10:00:00Z",
        savedBy: { name: "monday", time: "2026-01-31T03:00:00Z" },
        walBytes: 17_825_792,
      },
      previous: { kept: true, for: "24h", discards: "1a2b3c" },
      downtime: { seconds: 4, runs: 3 },
      dependants: ["sales/copy"],
    }),
  ));

test("the page of a plan with something in its way, on a terminal", () =>
  assertGolden(
    "plan-blocked",
    planPage(recorded("terminal"), "The rewind of PostgresVDB shop/orders", {
      steps,
      hooks: [],
      blockers: [{ reason: "SnapshotNotFound", message: "there is no dct-snapshot 7; there are: 8, 9" }],
      lost: { walUnknown: "the server does not answer" },
      previous: { kept: false, for: "0s" },
    }),
  ));

test("sizes have the unit that they are read in", () =>
  deepEqual([0, 1, 1023, 1024, 1_048_575, 2 ** 24, 3 * 2 ** 50].map(sizeText), [
    "0 bytes",
    "1 bytes",
    "1023 bytes",
    "1.0 KiB",
    "1024.0 KiB",
    "16.0 MiB",
    "3072.0 TiB",
  ]));

test("the page of a deletion", () => {
  const vdb = readyVdb({ spec: { protected: true } });
  assertGolden("plan-delete", deletionPage(recorded(), vdb, { copies: ["sales/copy"], areCopiesSeen: true, snapshots: 2 }));
});

test("the page of a deletion does not say that nothing is there where it may not be seen", () => {
  const around = { copies: [], areCopiesSeen: false, snapshots: undefined };
  assertGolden("plan-delete-unseen", deletionPage(recorded(), readyVdb(), around));
});
