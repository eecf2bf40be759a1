/** An operator on a real API server, with everything outside of Kubernetes played: DCT, and what exec runs in a pod. */
import { globSync, readFileSync } from "node:fs";
import { brokenLaws, type PostgresVDB, postgresVDB, resourceOf } from "@vdb/api";
import { createDctConnection, decodeCredentials } from "@vdb/dct";
import {
  type Api,
  type Client,
  type Clock,
  type CustomResourceDefinition,
  createClient,
  createLog,
  createManager,
  customResourceDefinitions,
  type ExecRequest,
  type ExecResult,
  httpApi,
  isTrue,
  namespaces,
  secrets,
  serviceAccounts,
  systemClock,
} from "kube-runtime";
import { type ApiServerOptions, startApiServer, type TestApiServer } from "kube-runtime/testing";
import { parse } from "yaml";
import {
  actionCaches,
  actionTriggers,
  controlActions,
  isAtWork,
  namedByActions,
  scheduledActions,
} from "../../src/action/controller.ts";
import { readConfig } from "../../src/config.ts";
import { createCsiSources } from "../../src/data/csi/csi-source.ts";
import { csiWorldOf } from "../../src/data/csi/csi-world.ts";
import { createDataSources } from "../../src/data/data-sources.ts";
import { csiDrivers } from "../../src/data/dct/attachers.ts";
import { createDctSource } from "../../src/data/dct/dct-source.ts";
import { explainDct } from "../../src/data/dct/failure.ts";
import { mustAllowCopyOf } from "../../src/data/dct/of-others.ts";
import { createStorageWatch } from "../../src/data/dct/watch-storage.ts";
import { measuredDct } from "../../src/metrics/dct-metrics.ts";
import { tellWork } from "../../src/metrics/work-metrics.ts";
import { tellTraces } from "../../src/tracing/tell-traces.ts";
import { isShut } from "../../src/vdb/context.ts";
import { controlVdbs, vdbCaches } from "../../src/vdb/controller.ts";
import { createMemories } from "../../src/vdb/memory.ts";
import { healthy } from "../../src/vdb/step-bench.ts";
import type { FakeDct } from "./fake-dct.ts";
import { until } from "./until.ts";

export const vdbs = resourceOf(postgresVDB);
export const forever: AbortSignal = new AbortController().signal;

export interface Bench extends AsyncDisposable {
  readonly server: TestApiServer;
  readonly api: Api;
  readonly client: Client;
}

/** An API server that knows our kinds, and the operator's own namespace with DCT's credentials. */
export async function startBench(options: ApiServerOptions = {}): Promise<Bench> {
  const server = await startApiServer(options);
  // The operator shares it with all that is played around it.
  const api = httpApi(server.connection, { requestsPerSecond: 1000, burst: 1000 });
  const client = createClient(api, { fieldManager: "test" });
  for (const file of globSync(new URL("../../../../charts/delphix-operator/templates/crds/*.yaml", import.meta.url).pathname)) {
    const manifest: CustomResourceDefinition = parse(readFileSync(file, "utf8"));
    await client.create(customResourceDefinitions, manifest, forever);
  }
  const driver = { metadata: { name: "defs.csi.delphix.com" }, spec: { attachRequired: false } };
  await client.create(csiDrivers, driver, forever);
  await newNamespace(client, "pg-operator");
  const stringData = { DCT_URL: "https://dct.test", DCT_KEY: "1.key" };
  await client.create(secrets, { metadata: { name: "delphix-creds", namespace: "pg-operator" }, stringData }, forever);
  await until("the kinds are served", async () => await client.list(vdbs, {}, forever));
  return {
    server,
    api,
    client,
    [Symbol.asyncDispose]: async () => {
      await api[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

export async function newNamespace(client: Client, name: string): Promise<void> {
  await client.create(namespaces, { metadata: { name } }, forever);
  await client.create(serviceAccounts, { metadata: { name: "default", namespace: name } }, forever);
}

export { healthy };

const credentialsKey = { namespace: "pg-operator", name: "delphix-creds" };

/** May be late: what a test does meanwhile happens in the middle of a run. */
export type Answer = (request: ExecRequest) => Partial<ExecResult> | Promise<Partial<ExecResult>>;

export interface RunningOperator extends AsyncDisposable {
  readonly execs: ExecRequest[];
  /** What it has logged, line by line. */
  readonly logged: string[];
  /** What it tells Prometheus. */
  readonly metricsText: () => string;
  answer: Answer;
}

/** Starts the operator as main.ts does, until it is disposed of. A crash is an `api` that stops answering. */
export function startOperator(
  api: Api,
  dct: FakeDct,
  flags: readonly string[] = [],
  clock: Clock = systemClock,
): RunningOperator {
  const config = readConfig(["--namespace=pg-operator", "--leader-election=false", ...flags], {});
  const state: Pick<RunningOperator, "execs" | "logged" | "answer"> = { execs: [], logged: [], answer: () => healthy() };
  const log = createLog({ level: config.logLevel, destination: { write: (line) => void state.logged.push(line) } });
  const manager = createManager({ name: "delphix-operator", api, log, stopTimeoutSeconds: 1, clock });
  const caches = vdbCaches(manager, config.watchNamespaces);
  const connection = createDctConnection({
    read: async (stop) => decodeCredentials(await manager.client.find(secrets, credentialsKey, stop), credentialsKey),
    connect: measuredDct(manager.metrics, () => dct.client),
  });
  const exec = async (request: ExecRequest): Promise<ExecResult> => {
    state.execs.push(request);
    return { exitCode: 0, stdout: "", stderr: "", truncated: false, ...(await state.answer(request)) };
  };
  const actions = actionCaches(manager, config.watchNamespaces);
  const dctSource = createDctSource({
    dct: connection,
    defaults: config.defaults,
    isShut: isShut(caches.vdbs),
    mustAllowCopy: mustAllowCopyOf(caches.vdbs, config),
  });
  const sources = createDataSources(
    { "dct-source": dctSource, ...createCsiSources(csiWorldOf({ config, caches, exec, dct: dctSource, now: clock.now })) },
    explainDct,
  );
  const looks = { intervalSeconds: 0.3, bytesSeconds: 0.3 };
  const storage = createStorageWatch({ dct: connection, vdbs: caches.vdbs, log, clock, ...looks });
  controlVdbs(manager, {
    config,
    caches,
    sources,
    storage,
    exec,
    memories: createMemories(),
    isAtWork: (holder) => isAtWork(actions, holder),
    namedByActions: () => namedByActions(actions),
    scheduled: (vdb, schedule) => scheduledActions(actions, vdb, schedule),
    actionTriggers: actionTriggers(actions),
  });
  controlActions(manager, {
    config,
    caches,
    actions,
    exec,
    now: clock.now,
    sources,
  });
  tellWork(manager, { vdbs: caches.vdbs, actions, storage, now: Date.now });
  tellTraces(manager, { endpoint: config.otlpEndpoint, instance: undefined, log, vdbs: caches.vdbs, actions });
  const end = new AbortController();
  const running = manager.run(end.signal).catch((error: unknown) => {
    if (!end.signal.aborted) throw error;
  });
  return Object.assign(state, {
    metricsText: manager.metrics.text,
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await running;
    },
  });
}

export const manifest = (namespace: string, name: string, spec: object = {}) => ({
  metadata: { name, namespace },
  spec: {
    source: { type: "dct-source", reference: "delphix-engine:production" },
    database: { passwordSecretRef: "password" },
    image: "postgres:16.2",
    ...spec,
  },
});

export async function makePassword(client: Client, namespace: string, password = "a-good-password"): Promise<void> {
  const secret = { metadata: { name: "password", namespace }, stringData: { password } };
  await client.apply(secrets, secret, { fieldManager: "test", force: true }, forever);
}

export async function applyVdb(client: Client, namespace: string, name: string, spec: object = {}): Promise<void> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- defaults are the API server's
  await client.apply(vdbs, manifest(namespace, name, spec) as never, { fieldManager: "user", force: true }, forever);
}

/** Deletes a database and waits until its object is gone. */
export async function deleteVdb(client: Client, namespace: string, name: string): Promise<void> {
  await client.delete(vdbs, { namespace, name }, forever);
  await untilGone(client, namespace, name);
}

export async function untilGone(client: Client, namespace: string, name: string): Promise<void> {
  await until(`${namespace}/${name} is gone`, async () => {
    const found = await client.find(vdbs, { namespace, name }, forever);
    if (found === undefined) return true;
    throw new Error(JSON.stringify(found.status));
  });
}

/** Fails with the status that was seen last. Every status on the way is held against the laws. */
export async function untilVdb(
  client: Client,
  namespace: string,
  name: string,
  wanted: (vdb: PostgresVDB) => boolean,
  seconds = 20,
): Promise<PostgresVDB> {
  let before: PostgresVDB | undefined;
  return await until(
    `${namespace}/${name}`,
    async () => {
      const vdb = await client.get(vdbs, { namespace, name }, forever);
      const broken = brokenLaws(vdb, before, { isNext: false });
      if (broken.length > 0) throw new Error(`laws broken: ${broken.join("; ")}\n${JSON.stringify(vdb.status, undefined, 1)}`);
      before = vdb;
      if (wanted(vdb)) return vdb;
      throw new Error(JSON.stringify(vdb.status, undefined, 1));
    },
    seconds,
  );
}

export const isReady = (vdb: PostgresVDB): boolean =>
  isTrue(vdb.status.conditions, "Ready") && vdb.status.observedGeneration === vdb.metadata.generation;
export const readyReason = (vdb: PostgresVDB): string =>
  vdb.status.conditions?.find(({ type }) => type === "Ready")?.reason ?? "";
