/** One step of a PostgresVDB over the client seam: an API server in memory, a pod that answers as the test says, time that stands. */
import { type PostgresVDB, postgresVDB, resourceOf } from "@vdb/api";
import {
  type Api,
  type ApiCall,
  ApiError,
  type Cache,
  type Client,
  type ConditionValue,
  type ConfigMap,
  createClient,
  type Deployment,
  type Draft,
  type ExecRequest,
  type ExecResult,
  interceptApi,
  isApiError,
  type KubeObject,
  type ObjectKey,
  type PersistentVolumeClaim,
  type Pod,
  type PodDisruptionBudget,
  type Run,
  type Service,
  silentLog,
} from "kube-runtime";
import { createVirtualClock, memoryApi, type VirtualClock } from "kube-runtime/testing";
import { readConfig } from "../config.ts";
import { createDataSources } from "../data/data-sources.ts";
import type { DataSource } from "../data/source.ts";
import { quietContent } from "../data/testing/quiet-content.ts";
import { observe, type VdbContext } from "./context.ts";
import { createMemories } from "./memory.ts";
import { containerName, contentIdOf, contentLabel, ownerOf } from "./names.ts";
import { desiredService } from "./objects/service.ts";
import { withHash } from "./objects/spec-hash.ts";
import { aVdb } from "./testing.ts";
import type { World } from "./world.ts";

export const forever: AbortSignal = new AbortController().signal;

export interface Given {
  readonly spec?: object;
  readonly status?: object;
  readonly flags?: readonly string[];
  /** What the caches hold of the database's own objects. */
  readonly claim?: PersistentVolumeClaim;
  readonly configMap?: ConfigMap;
  readonly deployment?: Deployment;
  readonly service?: Service;
  readonly disruptionBudget?: PodDisruptionBudget;
  readonly pods?: readonly Pod[];
  /** What the API server gives as events of any object. */
  readonly events?: readonly object[];
  /** What a command in the pod ends with; a throw is a pod that cannot be asked. */
  readonly exec?: (request: ExecRequest) => Partial<ExecResult>;
  /** Called before each call, as "create persistentvolumeclaims orders-abc"; a throw is its answer. */
  readonly beforeCall?: (call: string) => void;
  readonly source?: Partial<DataSource>;
}

export interface StepBench {
  readonly ctx: VdbContext;
  readonly client: Client;
  readonly clock: VirtualClock;
  /** Every write, in order, "save" and "exec" among them. */
  readonly writes: string[];
  readonly conditions: ConditionValue[];
  readonly events: string[];
}

/** The step's context as `observe` makes it, with all that it acts through. */
export async function stepBench(given: Given = {}): Promise<StepBench> {
  const vdb = aVdb(given);
  const clock = createVirtualClock();
  const [writes, conditions, told]: [string[], ConditionValue[], string[]] = [[], [], []];
  const api = memoryApi({ now: clock.now });
  const client = createClient(recording(api, writes, given), { fieldManager: "test" });
  await createClient(api, { fieldManager: "user" }).create(resourceOf(postgresVDB), { ...vdb }, forever);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a copy of one's own may be written to
  const status = structuredClone(vdb.status) as Draft<PostgresVDB["status"]>;
  const run: Run<PostgresVDB> = {
    object: vdb,
    status,
    id: "1",
    client,
    log: silentLog,
    clock,
    backOffSeconds: () => 1,
    marks: new Map(),
    saveStatus: async () => void writes.push("save"),
    addFinalizer: async () => undefined,
    patchMetadata: async (metadata, signal) =>
      void (await client.patch(resourceOf(postgresVDB), vdb.metadata, { metadata }, signal)),
    setCondition: (condition) => void conditions.push(condition),
    event: (_, reason) => void told.push(reason),
  };
  const { exec = () => ({}) } = given;
  const world: World = {
    config: readConfig(given.flags ?? ["--image=16=postgres:16.2"], {}),
    caches: {
      vdbs: holding([vdb]),
      claims: holding([given.claim]),
      configMaps: holding([given.configMap]),
      deployments: holding([given.deployment]),
      services: holding([given.service]),
      disruptionBudgets: holding([given.disruptionBudget]),
      pods: holding(given.pods ?? []),
    },
    sources: createDataSources({ "dct-source": { ...quietSource, ...given.source } }, () => undefined),
    storage: {
      trigger: { cacheName: "storage", waitForSync: async () => undefined, start: () => () => undefined },
      of: () => undefined,
      figures: () => [],
      bytesOf: () => undefined,
    },
    exec: async (request) => {
      writes.push("exec");
      return { exitCode: 0, stdout: "", stderr: "", truncated: false, ...exec(request) };
    },
    memories: createMemories(),
    isAtWork: () => true,
    namedByActions: () => [],
    scheduled: () => [],
    actionTriggers: [],
  };
  return { ctx: observe(world, run), client, clock, writes, conditions, events: told };
}

/** A source that finds nothing out and has nothing to do. */
const quietSource: DataSource = {
  resolve: async () => ({ ok: false, reason: "SourceNotFound", message: "there is none" }),
  claimFor: () => ({ kind: "make", labels: {}, annotations: {}, sizeBytes: 2 ** 30 }),
  stage: async () => ({ kind: "ready", dataSource: undefined }),
  unstage: async () => undefined,
  facts: async () => ({ kind: "told", value: undefined }),
  setAttached: async () => ({ kind: "asWanted" }),
  gone: async () => ({ kind: "gone" }),
  content: quietContent,
};

/** A cache of these objects; whatever an index is asked for, they are it. */
function holding<T extends KubeObject>(objects: readonly (T | undefined)[]): Cache<T> {
  const all = objects.filter((object) => object !== undefined);
  const get = ({ name }: ObjectKey): T | undefined => all.find(({ metadata }) => metadata.name === name);
  const parts: Partial<Cache<T>> = { get, list: () => all, byIndex: () => all };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- steps ask for nothing else
  return parts as Cache<T>;
}

/** Writes down every write, and plays what the API server in memory does not have: apply, and events of one object. */
function recording(api: Api, writes: string[], { events = [], beforeCall }: Given): Api {
  return interceptApi(api, {
    call: async (call, next, signal) => {
      const verb = isApply(call) ? "apply" : call.verb;
      const what = `${verb} ${call.resource.plural} ${call.name ?? nameIn(call.body)}`.trim();
      beforeCall?.(what);
      if (verb !== "get" && verb !== "list") writes.push(what);
      if (call.verb === "list" && call.resource.plural === "events") return { metadata: { resourceVersion: "1" }, items: events };
      return isApply(call) ? await apply(api, call, signal) : await next();
    },
  });
}

const isApply = ({ contentType }: ApiCall): boolean => contentType === "application/apply-patch+yaml";

async function apply(api: Api, call: ApiCall, signal: AbortSignal): Promise<unknown> {
  try {
    return await api.call({ ...call, query: {}, contentType: "application/merge-patch+json" }, signal);
  } catch (error) {
    if (!isApiError(error, "notFound")) throw error;
    const { name: _, contentType: __, ...create } = call;
    return await api.call({ ...create, verb: "create", query: {} }, signal);
  }
}

function nameIn(body: unknown): string {
  if (typeof body !== "object" || body === null || !("metadata" in body)) return "";
  const { metadata } = body;
  return typeof metadata === "object" && metadata !== null && "name" in metadata ? String(metadata.name) : "";
}

/** What a quota, a policy or a schema answers with. */
export const refusedBy = (kind: "forbidden" | "unavailable", message: string): ApiError => new ApiError({ kind }, message);

export const contentId: string = contentIdOf(aVdb());
export const meta = (name: string, more: object = {}) => ({
  name,
  namespace: "shop",
  uid: `uid-of-${name}`,
  resourceVersion: "1",
  creationTimestamp: "2025-12-31T23:59:00Z",
  generation: 1,
  ownerReferences: ownerOf(aVdb()),
  ...more,
});

/** The database's pod, ready unless its container says otherwise. */
export function aPod(container: object = {}, more: object = {}): Pod {
  const running = { ready: true, containerID: "containerd://1", state: { running: { startedAt: "2025-12-31T23:59:30Z" } } };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: meta("orders-pod", { labels: { [contentLabel]: contentId }, ...more }),
    spec: { containers: [] },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fields that podState does not read are left out
    status: { phase: "Running", containerStatuses: [{ name: containerName, ...running, ...container }] } as Pod["status"] &
      object,
  };
}

/** What the preparation prints of a server that has what the manifest names, and waits for nothing. */
export const healthy = (changes: object = {}): Partial<ExecResult> => ({
  stdout: JSON.stringify({
    roleExists: true,
    roleCanLogin: true,
    roleExpired: false,
    mayConnect: true,
    superuser: "postgres",
    superuserDatabase: "postgres",
    databaseExists: true,
    full: false,
    sessionSettings: [],
    roles: ["postgres"],
    databases: ["postgres"],
    pendingRestart: [],
    pendingElsewhere: [],
    loaded: true,
    dropped: ["port"],
    preparedTransactions: [],
    setAside: "",
    isStandby: false,
    needsWriting: false,
    version: "16.2",
    ...changes,
  }),
});

/** The database's Service as the operator has written it. */
export function aService(gate: Parameters<typeof desiredService>[2]): Service {
  const { metadata, spec } = withHash(desiredService(aVdb(), contentId, gate));
  return { apiVersion: "v1", kind: "Service", metadata: { ...meta("orders"), ...metadata }, spec };
}
