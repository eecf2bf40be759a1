/** The operator dies at any of its calls to the API server, before or after it took effect; the next one brings the database up. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { PostgresVDB } from "@vdb/api";
import {
  configMaps,
  deployments,
  persistentVolumeClaims,
  persistentVolumes,
  type Resource,
  services,
  storageClasses,
} from "kube-runtime";
import { sampled } from "kube-runtime/testing";
import { volumeSnapshotClasses, volumeSnapshotContents, volumeSnapshots } from "../src/data/csi/volume-snapshots.ts";
import { playCluster } from "./testing/fake-cluster.ts";
import { type FakeDct, fakeDct } from "./testing/fake-dct.ts";
import { defineSnapshots, playSnapshots, snapshotTime } from "./testing/fake-snapshots.ts";
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
const flags = ["--image=16=postgres:16.2", "--allow-cross-namespace=true"];
const hooks = [{ name: "mask", stage: "post-create", script: "SELECT mask()" }];

/** A driver that DCT does not know. */
const foreign = "foreign.csi.test";

interface Origin {
  readonly type: PostgresVDB["spec"]["source"]["type"];
  /** How many of the deaths are tried, unless all are. */
  readonly some: number;
  /** Makes the source; what the manifest says of it. */
  readonly prepare: (bench: Bench, namespace: string) => Promise<object>;
  readonly check: (status: PostgresVDB["status"]) => void;
}

const theirs = "theirs";
/** A claim of somebody else, which the played cluster of that namespace binds. */
async function makeClaim({ client }: Bench, namespace: string): Promise<void> {
  const spec = {
    storageClassName: "foreign",
    accessModes: ["ReadWriteOnce" as const],
    resources: { requests: { storage: "1Gi" } },
  };
  await client.create(persistentVolumeClaims, { metadata: { name: theirs, namespace }, spec }, forever);
}
const elsewhere = (namespace: string): string => `${namespace}-src`;

/** The two that copy do so from another namespace: that takes the most writes. */
const origins: readonly Origin[] = [
  {
    type: "dct-source",
    some: 3,
    prepare: async () => ({ image: undefined }),
    check: ({ source, dataTimestamp }) => {
      const { name, snapshotId, postgresVersion } = source ?? {};
      deepEqual([name, snapshotId, postgresVersion], ["production", "1-APPDATA_SNAPSHOT-production-2", "16.2"]);
      equal(dataTimestamp, "2026-01-01T00:00:00Z");
    },
  },
  {
    type: "pvc-clone",
    some: 1,
    prepare: async (bench, namespace) => {
      await makeClaim(bench, elsewhere(namespace));
      return { source: { type: "pvc-clone", reference: theirs, namespace: elsewhere(namespace) } };
    },
    check: ({ source, dataTimestamp }) => {
      deepEqual([source?.name, source?.crashConsistent], [theirs, true]);
      equal(dataTimestamp, snapshotTime);
    },
  },
  {
    type: "k8s-snapshot",
    some: 1,
    prepare: async (bench, namespace) => {
      await makeClaim(bench, elsewhere(namespace));
      const spec = { source: { persistentVolumeClaimName: theirs } };
      await bench.client.create(
        volumeSnapshots,
        { metadata: { name: "monday", namespace: elsewhere(namespace) }, spec },
        forever,
      );
      return { source: { type: "k8s-snapshot", reference: "monday", namespace: elsewhere(namespace) } };
    },
    check: ({ source, dataTimestamp }) => {
      equal(source?.snapshotName, "monday");
      equal(dataTimestamp, snapshotTime);
    },
  },
  {
    type: "pvc-adopt",
    some: 1,
    prepare: async (bench, namespace) => {
      await makeClaim(bench, namespace);
      return { source: { type: "pvc-adopt", reference: theirs } };
    },
    check: ({ pvcName }) => equal(pvcName, theirs),
  },
];

describe("an operator that dies", { timeout: 1_200_000 }, () => {
  const stack = new AsyncDisposableStack();
  let bench: Bench;
  before(async () => {
    bench = stack.use(await startBench());
    await defineSnapshots(bench.client, forever);
    await bench.client.create(storageClasses, { metadata: { name: "foreign" }, provisioner: foreign }, forever);
    await bench.client.create(volumeSnapshotClasses, { metadata: { name: "foreign" }, driver: foreign }, forever);
  });
  after(async () => await stack.disposeAsync());

  /** The played world of a source's databases. */
  async function play({ type, prepare }: Origin, namespace: string) {
    const played = new AsyncDisposableStack();
    const driver = type === "dct-source" ? {} : { driver: foreign };
    for (const name of [namespace, elsewhere(namespace)]) await newNamespace(bench.client, name);
    await makePassword(bench.client, namespace);
    const cluster = Object.assign(played.use(playCluster(bench.client, namespace)), driver);
    Object.assign(played.use(playCluster(bench.client, elsewhere(namespace))), driver);
    const snapshots = played.use(playSnapshots(bench.client, foreign));
    const source = await prepare(bench, namespace);
    const dct = Object.assign(fakeDct(), { up: type === "dct-source" });
    return { cluster, snapshots, source, dct, [Symbol.asyncDispose]: async () => await played.disposeAsync() };
  }

  /** Deletes it through a death, the next operator takes it to its end; how many writes the first one made. */
  async function remove(dct: FakeDct, namespace: string, death: number, moment: Moment): Promise<number> {
    const key = { namespace, name: "orders" };
    const isGone = async () => (await bench.client.find(vdbs, key, forever)) === undefined;
    const api = mortal(bench.api, death, moment);
    {
      await using _ = startOperator(api, dct, flags);
      await bench.client.delete(vdbs, key, forever);
      await until("it died or all is gone", async () => (api.written() >= death || (await isGone()) ? true : undefined));
    }
    await using _ = startOperator(bench.api, dct, flags);
    await until("it is gone", async () => ((await isGone()) ? true : undefined));
    for (const resource of [persistentVolumeClaims, deployments, services, configMaps] as Resource[])
      equal(
        (await bench.client.list(resource, { namespace }, forever)).items.length,
        0,
        `${resource.plural}, ${moment} write ${death}`,
      );
    const volumes = (await bench.client.list(persistentVolumes, {}, forever)).items;
    deepEqual(
      volumes.filter(({ spec }) => spec.claimRef?.namespace === namespace),
      [],
      `no data without an owner, ${moment} write ${death}`,
    );
    return api.written();
  }

  /** Brings a database up through one death, takes it down through another; what happened outside is counted. */
  async function live(origin: Origin, namespace: string, death: number, moment: Moment, deathInDeletion = Infinity) {
    const { type, check } = origin;
    await using played = await play(origin, namespace);
    const { cluster, snapshots, source, dct } = played;
    const tokens: string[] = [];
    const answer: Answer = ({ command }) => {
      if (command[3] !== "hook") return healthy();
      tokens.push(command[4] ?? "");
      return { stdout: "exit 0\nmasked" };
    };
    const api = mortal(bench.api, death, moment);
    {
      await using first = startOperator(api, dct, flags);
      Object.assign(first, { answer });
      await applyVdb(bench.client, namespace, "orders", { hooks, ...source });
      await until("it died or is done", async () => {
        const vdb = await bench.client.get(vdbs, { namespace, name: "orders" }, forever);
        return api.written() >= death || isReady(vdb) ? true : undefined;
      });
    }
    const vdb = await (async () => {
      await using second = startOperator(bench.api, dct, flags);
      Object.assign(second, { answer });
      return await untilVdb(bench.client, namespace, "orders", isReady, 30);
    })();
    deepEqual([...cluster.provisioned.values()], [1], `provisioned once, whatever happened ${moment} write ${death}`);
    equal(new Set(tokens).size, 1, "the hook had one token: the pod ran it once");
    equal((await bench.client.list(persistentVolumeClaims, { namespace }, forever)).items.length, 1);
    equal(vdb.status.hooks?.[0]?.outcome, "Succeeded");
    check(vdb.status);
    const [here, there] = [namespace, elsewhere(namespace)];
    const given = type === "k8s-snapshot" ? ["monday"] : [];
    deepEqual(await namesOf(bench, here), []);
    deepEqual(await namesOf(bench, there), given, "what was made for the copy is gone, what was there is not");
    equal(snapshots.taken.length, { "dct-source": 0, "pvc-clone": 1, "k8s-snapshot": 1, "pvc-adopt": 0 }[type]);
    await until("no content is left over", async () => {
      const { items } = await bench.client.list(volumeSnapshotContents, {}, forever);
      const left = items.filter(({ spec }) => [here, there].includes(spec.volumeSnapshotRef.namespace ?? ""));
      if (left.length === given.length) return true;
      throw new Error(JSON.stringify(left));
    });
    const deletion = await remove(dct, namespace, deathInDeletion, moment);
    return { creation: api.written(), deletion };
  }

  for (const origin of sampled("deaths", origins, 2))
    test(`${origin.type}: at any of its writes, brings the database up all the same, once, and takes it down`, async () => {
      const { type, some } = origin;
      const all = await live(origin, `${type}-none`, Infinity, "before");
      ok(all.deletion > 1 && all.deletion <= all.creation, "the deaths of creations are enough for all of deletions");
      for (const { death, moment } of chosenDeaths(all.creation, some))
        await live(origin, `${type}-${death}-${moment}`, death, moment, 1 + ((death - 1) % all.deletion));
    });

  for (const origin of sampled("deaths in a switch", origins, 2))
    test(`${origin.type}: at any of its writes, stops and starts a database all the same, and asks DCT once, or never`, async () => {
      const [namespace, name] = [`switch-${origin.type}`, "orders"];
      await using played = await play(origin, namespace);
      const { cluster, dct, source } = played;
      await applyVdb(bench.client, namespace, name, source);
      {
        await using _ = startOperator(bench.api, dct, flags);
        await untilVdb(bench.client, namespace, name, isReady);
      }
      equal(cluster.provisioned.size, 1);
      /** Turns it off or on through one death; how many writes that took. */
      const turn = async (enabled: boolean, death: number, moment: Moment): Promise<number> => {
        dct.asked.length = 0;
        await bench.client.patch(vdbs, { namespace, name }, { spec: { enabled } }, forever);
        const isTurned = (vdb: PostgresVDB) =>
          vdb.status.observedGeneration === vdb.metadata.generation && vdb.status.phase === (enabled ? "Ready" : "Stopped");
        const api = mortal(bench.api, death, moment);
        {
          await using _ = startOperator(api, dct, flags);
          await until("it died or is done", async () => {
            const vdb = await bench.client.get(vdbs, { namespace, name }, forever);
            return api.written() >= death || isTurned(vdb) ? true : undefined;
          });
        }
        await using _ = startOperator(bench.api, dct, flags);
        const { status } = await untilVdb(bench.client, namespace, name, isTurned);
        const id = status.delphixID ?? "";
        const want = origin.type === "dct-source" ? [`${enabled ? "enable" : "disable"} ${id}`] : [];
        deepEqual(dct.asked, want, `${moment} write ${death}`);
        if (origin.type === "dct-source") equal(dct.isEnabled(id), enabled);
        equal(cluster.provisioned.size, 1);
        return api.written();
      };
      const needed = [await turn(false, Infinity, "before"), await turn(true, Infinity, "before")];
      for (const { death, moment } of chosenDeaths(Math.max(...needed), origin.some))
        for (const enabled of [false, true]) await turn(enabled, death, moment);
    });
});

const namesOf = async ({ client }: Bench, namespace: string): Promise<readonly string[]> =>
  (await client.list(volumeSnapshots, { namespace }, forever)).items.map(({ metadata }) => metadata.name);
