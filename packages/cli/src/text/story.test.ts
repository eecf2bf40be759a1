import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { vdbRefresh } from "@vdb/api";
import type { Event } from "kube-runtime";
import { assertGolden } from "../testing/golden.ts";
import { anAction, readyVdb } from "../testing/objects.ts";
import { recorded } from "../testing/world.ts";
import { actionLines, eventLines, hookLines, postgresLines, programLines, storyText } from "./story.ts";

const anEvent = (kind: string, name: string, more: Partial<Event> = {}): Event => ({
  apiVersion: "events.k8s.io/v1",
  kind: "Event",
  metadata: { name: "e", uid: "e", resourceVersion: "1", creationTimestamp: "2026-01-31T10:00:00Z" },
  eventTime: "2026-01-31T10:00:02.500000Z",
  type: "Normal",
  reason: "Deployed",
  action: "Deployed",
  note: "the server answers",
  regarding: { kind, name },
  reportingController: "x",
  reportingInstance: "x",
  ...more,
});

const vdb = readyVdb({
  status: {
    hooks: [
      {
        stage: "post-create",
        name: "mask",
        outcome: "Failed",
        startTime: "2026-01-31T10:00:03Z",
        completionTime: "2026-01-31T10:00:04Z",
        exitCode: 3,
        output: "ERROR: no table\nLINE 1",
      },
    ],
  },
});
const refresh = anAction(vdbRefresh, {
  name: "nightly",
  status: {
    phase: "Error",
    lastError: "the hook failed",
    completionTime: "2026-01-31T10:00:09Z",
    steps: [{ name: "prepare-content", phase: "PreRefresh", startTime: "2026-01-31T10:00:05Z" }],
  },
});
const log = [
  '{"time":"2026-01-31T10:00:06.000Z","level":"info","controller":"postgresvdb","object":"shop/orders","reconcileID":"1","vdb":"shop/orders","claim":"shop/orders-0a1b2c","delphixID":"1-VDB-7","phase":"Ready","msg":"status changed"}',
  '{"time":"2026-01-31T10:00:06.000Z","level":"info","controller":"postgresvdb","object":"shop/other","vdb":"shop/other","msg":"status changed"}',
  "(node:1) Warning: not JSON",
].join("\n");
const driverLog = [
  '{"time":"2026-01-31T10:00:01.000Z","level":"info","method":"CreateVolume","claim":"shop/orders-0a1b2c","delphixID":"1-VDB-7","msg":"answered"}',
  '{"time":"2026-01-31T10:00:01.500Z","level":"warn","method":"NodePublishVolume","delphixID":"1-VDB-7","code":"INTERNAL","msg":"refused"}',
  '{"time":"2026-01-31T10:00:01.500Z","level":"info","method":"CreateVolume","claim":"shop/orders-eu-0a1b2c","delphixID":"1-VDB-8","msg":"answered"}',
  '{"time":"2026-01-31T10:00:01.600Z","level":"info","method":"NodePublishVolume","delphixID":"1-VDB-8","msg":"answered"}',
].join("\n");
const engineLog = [
  '{"time":"2026-01-31T10:00:00.500Z","level":"info","job":"j","type":"DB_SNAPSHOT","delphixID":"1-VDB-9","claim":"shop/theirs","msg":"job completed"}',
  '{"time":"2026-01-31T10:00:00.600Z","level":"info","job":"k","type":"DB_SYNC","delphixID":"1-VDB-1","dSource":"production","msg":"job completed"}',
].join("\n");

for (const kind of ["pipe", "terminal"] as const)
  test(`one story of events, operator, driver, engine, PostgreSQL, hooks and actions on a ${kind}`, () => {
    const lines = [
      ...actionLines([refresh]),
      ...hookLines(vdb, [refresh]),
      ...eventLines(
        [
          anEvent("PostgresVDB", "orders"),
          anEvent("PostgresVDB", "other"),
          anEvent("Pod", "orders-1", {
            type: "Warning",
            reason: "BackOff",
            note: "restarting",
            series: { count: 4, lastObservedTime: "2026-01-31T10:00:08Z" },
          }),
        ],
        new Set(["PostgresVDB orders", "Pod orders-1"]),
      ),
      ...postgresLines("2026-01-31T10:00:04.123456789Z LOG:  ready\n2026-01-31T10:00:07Z FATAL:  no\n\nhalf a line"),
      ...programLines(
        [
          { teller: "operator", text: log },
          { teller: "driver", text: driverLog },
          { teller: "engine", text: engineLog },
        ],
        { vdb: "shop/orders", claim: "shop/theirs", delphixID: undefined },
      ),
    ];
    assertGolden(`story-${kind}`, storyText(recorded(kind), lines));
  });

test("lines of one moment stay in the order in which they came", () => {
  const lines = ["a", "b", "c"].map((text) => ({ at: 0, teller: "event" as const, text }));
  deepEqual(
    [...storyText(recorded(), lines).matchAll(/\w$/gmu)].map(([letter]) => letter),
    ["a", "b", "c"],
  );
});
