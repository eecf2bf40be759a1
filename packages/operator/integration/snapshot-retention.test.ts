/** spec.snapshots on a real API server: what VDBSnapshots have taken beyond it goes, and at rest nothing is written. */
import { deepEqual, equal } from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type ActionKind, resourceOf, vdbSnapshot } from "@vdb/api";
import { actionLabel, snapshotOfLabel, volumeSnapshotClasses, volumeSnapshots } from "../src/data/csi/volume-snapshots.ts";
import { defineSnapshots, playSnapshots } from "./testing/fake-snapshots.ts";
import { forever, vdbs } from "./testing/operator.ts";
import { setStage } from "./testing/stage.ts";
import { until } from "./testing/until.ts";

const [namespace, driver] = ["kept", "defs.csi.delphix.com"];
const days = ["monday", "tuesday"];
const dayOf = (name: string): string => `2026-01-0${days.indexOf(name) + 2}T00:00:00Z`;

describe("snapshots that are kept", { timeout: 120_000 }, () => {
  const stage = setStage(namespace);

  const names = async (): Promise<readonly string[]> =>
    (await stage.client.list(volumeSnapshots, { namespace }, forever)).items.map(({ metadata }) => metadata.name).toSorted();
  const untilThere = async (...wanted: readonly string[]): Promise<unknown> =>
    await until(`the VolumeSnapshots ${wanted.join()}`, async () => {
      const found = await names();
      if (found.join() === wanted.toSorted().join()) return true;
      throw new Error(found.join());
    });
  const take = async (name: string): Promise<void> => {
    const snapshots = resourceOf<ActionKind>(vdbSnapshot);
    const manifest = { metadata: { namespace, name }, spec: { vdbRef: { name: "orders" } } };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- defaults are the API server's
    await stage.client.create(snapshots, manifest as never, forever);
    await until(`VDBSnapshot ${name} has completed`, async () => {
      const { status } = await stage.client.get(snapshots, { namespace, name }, forever);
      if (status.phase === "Completed") return true;
      throw new Error(JSON.stringify(status));
    });
  };

  test("each one beyond keep takes the oldest along, and nobody else's; at rest nothing is written", async () => {
    const { client } = stage;
    await defineSnapshots(client, forever);
    const manifest = { metadata: { name: "fast" }, driver };
    await client.create(volumeSnapshotClasses, manifest, forever);
    await using _ = playSnapshots(client, driver, ({ metadata }) => dayOf(metadata.name));
    const { metadata } = await stage.readyDatabase(namespace, { snapshots: { keep: 1 } });
    const labels = { [actionLabel]: "u", [snapshotOfLabel]: "uid-of-another" };
    const source = { persistentVolumeClaimName: "another" };
    await client.create(volumeSnapshots, { metadata: { namespace, name: "another", labels }, spec: { source } }, forever);

    for (const day of days) await take(day);
    await untilThere("another", "tuesday");
    const of = (await client.get(volumeSnapshots, { namespace, name: "tuesday" }, forever)).metadata.labels?.[snapshotOfLabel];
    equal(of, metadata.uid);

    const states = async () => [
      (await client.get(vdbs, { namespace, name: "orders" }, forever)).metadata.resourceVersion,
      await names(),
    ];
    await sleep(500);
    const before = await states();
    await sleep(1500);
    deepEqual(await states(), before);

    await client.patch(vdbs, { namespace, name: "orders" }, { spec: { snapshots: { keep: null, maxAge: "1h" } } }, forever);
    await untilThere("another");
  });
});
