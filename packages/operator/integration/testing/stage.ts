/** One operator on one API server for the tests of a file, each in a namespace of its own. */
import { after, afterEach, before } from "node:test";
import type { PostgresVDB } from "@vdb/api";
import { type Client, type Clock, pods, systemClock } from "kube-runtime";
import { type FakeCluster, playCluster } from "./fake-cluster.ts";
import { type FakeDct, fakeDct } from "./fake-dct.ts";
import {
  applyVdb,
  type Bench,
  forever,
  healthy,
  isReady,
  makePassword,
  newNamespace,
  type RunningOperator,
  startBench,
  startOperator,
  untilVdb,
} from "./operator.ts";

export interface Stage {
  readonly client: Client;
  /** A file for kubectl, as the administrator. */
  readonly kubeconfig: string;
  /** After a test it answers as a healthy server does again. */
  readonly operator: RunningOperator;
  readonly dct: FakeDct;
  /** Makes a namespace with the password's Secret, and a cluster at work in it until the test's end. */
  readonly place: (namespace: string) => Promise<FakeCluster>;
  /** A cluster at work in a namespace that is there, until the test's end. */
  readonly play: (namespace: string) => FakeCluster;
  /** A place of that name, and in it a database `orders` that is Ready. */
  readonly readyDatabase: (namespace: string, spec?: object) => Promise<PostgresVDB>;
  readonly podNames: (namespace: string) => Promise<string>;
  /** After its end, another one that knows nothing of it, by a clock that may be another. */
  readonly restartOperator: (clock?: Clock) => void;
}

/** To be called in a `describe`. The cluster in the namespace `shared` is at work until the end of the file. */
export function setStage(shared: string, flags: readonly string[] = []): Stage {
  const stack = new AsyncDisposableStack();
  const dct = fakeDct();
  const clusters = new Map<string, FakeCluster>();
  const running: { bench?: Bench; operator?: RunningOperator } = {};
  const started = <Part extends keyof typeof running>(part: Part): NonNullable<(typeof running)[Part]> => {
    const found = running[part];
    if (found === undefined) throw new Error(`there is no ${part} before the tests begin`);
    return found;
  };
  const restartOperator = (clock: Clock = systemClock): void => {
    running.operator = stack.use(startOperator(started("bench").api, dct, flags, clock));
  };
  const play = (namespace: string): FakeCluster => {
    const cluster = playCluster(started("bench").client, namespace);
    clusters.set(namespace, cluster);
    return cluster;
  };

  const place = async (namespace: string): Promise<FakeCluster> => {
    const { client } = started("bench");
    await newNamespace(client, namespace);
    await makePassword(client, namespace);
    return play(namespace);
  };

  before(async () => {
    running.bench = stack.use(await startBench());
    restartOperator();
  });
  afterEach(async () => {
    for (const [name, cluster] of clusters) if (name !== shared) await cluster[Symbol.asyncDispose]();
    started("operator").answer = () => healthy();
  });
  after(async () => {
    await clusters.get(shared)?.[Symbol.asyncDispose]();
    await stack.disposeAsync();
  });

  return {
    get client() {
      return started("bench").client;
    },
    get kubeconfig() {
      return started("bench").server.kubeconfig;
    },
    get operator() {
      return started("operator");
    },
    dct,
    restartOperator,
    play,
    place,
    readyDatabase: async (namespace, spec) => {
      const { client } = started("bench");
      await place(namespace);
      await applyVdb(client, namespace, "orders", spec);
      return await untilVdb(client, namespace, "orders", isReady);
    },
    podNames: async (namespace) =>
      (await started("bench").client.list(pods, { namespace }, forever)).items.map(({ metadata }) => metadata.name).join(),
  };
}
