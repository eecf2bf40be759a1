/** The operator dies at any of its calls to the API server, before or after it took effect; the next one brings the database up. */
import { deepEqual, equal } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { PostgresVDB } from "@vdb/api";
import { persistentVolumeClaims } from "kube-runtime";
import { playCluster } from "./testing/fake-cluster.ts";
import { fakeDct } from "./testing/fake-dct.ts";
import { chosenDeaths, type Moment, mortal } from "./testing/mortal.ts";
import {
  type Answer,
  applyVdb,
  type Bench,
  forever,
  healthy,
  isReady,
  makePassword,
  newNamespace,
  startBench,
  startOperator,
  untilVdb,
  vdbs,
} from "./testing/operator.ts";
import { until } from "./testing/until.ts";

/** The image follows from what is known of the source: a claim whose source nobody wrote down would have none for good. */
const images = ["--image=16=postgres:16.2"];
const hooks = [{ name: "mask", stage: "post-create", script: "SELECT mask()" }];

describe("an operator that dies", { timeout: 1_200_000 }, () => {
  const stack = new AsyncDisposableStack();
  let bench: Bench;
  before(async () => {
    bench = stack.use(await startBench());
  });
  after(async () => await stack.disposeAsync());

  /** Brings a database up through one death, takes it down through another; what happened outside is counted. */
  async function live(namespace: string, death: number, moment: Moment): Promise<number> {
    await newNamespace(bench.client, namespace);
    await makePassword(bench.client, namespace);
    await using cluster = playCluster(bench.client, namespace);
    const dct = fakeDct();
    const tokens: string[] = [];
    const answer: Answer = ({ command }) => {
      if (command[3] !== "hook") return healthy();
      tokens.push(command[4] ?? "");
      return { stdout: "exit 0\nmasked" };
    };
    const api = mortal(bench.api, death, moment);
    {
      await using first = startOperator(api, dct, images);
      Object.assign(first, { answer });
      await applyVdb(bench.client, namespace, "orders", { hooks, image: undefined });
      await until("it died or is done", async () => {
        const vdb = await bench.client.get(vdbs, { namespace, name: "orders" }, forever);
        return api.written() >= death || isReady(vdb) ? true : undefined;
      });
    }
    await using second = startOperator(bench.api, dct, images);
    Object.assign(second, { answer });
    const vdb = await untilVdb(bench.client, namespace, "orders", isReady, 30);
    deepEqual([...cluster.provisioned.values()], [1], `provisioned once, whatever happened ${moment} write ${death}`);
    equal(new Set(tokens).size, 1, "the hook had one token: the pod ran it once");
    equal((await bench.client.list(persistentVolumeClaims, { namespace }, forever)).items.length, 1);
    equal(vdb.status.hooks?.[0]?.outcome, "Succeeded");
    const { name, snapshotId, postgresVersion } = vdb.status.source ?? {};
    deepEqual([name, snapshotId, postgresVersion], ["production", "1-APPDATA_SNAPSHOT-production-2", "16.2"]);
    equal(vdb.status.dataTimestamp, "2026-01-01T00:00:00Z");
    await bench.client.delete(vdbs, { namespace, name: "orders" }, forever);
    await until("it is gone", async () =>
      (await bench.client.find(vdbs, { namespace, name: "orders" }, forever)) === undefined ? true : undefined,
    );
    equal((await bench.client.list(persistentVolumeClaims, { namespace }, forever)).items.length, 0);
    return api.written();
  }

  test("at any of its writes, brings the database up all the same, once", async () => {
    const all = await live("crash-none", Infinity, "before");
    for (const { death, moment } of chosenDeaths(all, 6)) await live(`crash-${death}-${moment}`, death, moment);
  });

  test("at any of its writes, stops and starts a database all the same, and asks DCT once for each", async () => {
    await newNamespace(bench.client, "switch");
    await makePassword(bench.client, "switch");
    await using cluster = playCluster(bench.client, "switch");
    const dct = fakeDct();
    await applyVdb(bench.client, "switch", "orders");
    {
      await using _ = startOperator(bench.api, dct);
      await untilVdb(bench.client, "switch", "orders", isReady);
    }
    equal(cluster.provisioned.size, 1);
    /** Turns it off or on through one death; how many writes that took. */
    const turn = async (enabled: boolean, death: number, moment: Moment): Promise<number> => {
      dct.asked.length = 0;
      await bench.client.patch(vdbs, { namespace: "switch", name: "orders" }, { spec: { enabled } }, forever);
      const isTurned = (vdb: PostgresVDB) =>
        vdb.status.observedGeneration === vdb.metadata.generation && vdb.status.phase === (enabled ? "Ready" : "Stopped");
      const api = mortal(bench.api, death, moment);
      {
        await using _ = startOperator(api, dct);
        await until("it died or is done", async () => {
          const vdb = await bench.client.get(vdbs, { namespace: "switch", name: "orders" }, forever);
          return api.written() >= death || isTurned(vdb) ? true : undefined;
        });
      }
      await using _ = startOperator(bench.api, dct);
      const { status } = await untilVdb(bench.client, "switch", "orders", isTurned);
      const id = status.delphixID ?? "";
      deepEqual(dct.asked, [`${enabled ? "enable" : "disable"} ${id}`], `${moment} write ${death}`);
      equal(dct.isEnabled(id), enabled);
      return api.written();
    };
    const needed = [await turn(false, Infinity, "before"), await turn(true, Infinity, "before")];
    for (const { death, moment } of chosenDeaths(Math.max(...needed), 4))
      for (const enabled of [false, true]) await turn(enabled, death, moment);
  });
});
