/** Notes when the operator waits for what is not its own: the calls that it makes, and what the played cluster owes it. */
import { setTimeout as sleep } from "node:timers/promises";
import { templateOf } from "@vdb/operator/testing";
import {
  type Api,
  type ApiCall,
  type Deployment,
  interceptApi,
  type KubeObject,
  type PersistentVolumeClaim,
  type Pod,
} from "kube-runtime";
import type { Span } from "./uncovered.ts";

export interface Noted extends Span {
  readonly what: string;
  /** awaited: DCT, the cluster or PostgreSQL has the word. */
  readonly kind: "write" | "read" | "awaited";
}

export interface Outside {
  readonly noted: Noted[];
  /** The operator's API. */
  readonly operator: Api;
  /** The played cluster's, which rests while it owes nothing: the operator has the processor. */
  readonly cluster: Api;
  readonly awaited: <T>(what: string, call: () => Promise<T>) => Promise<T>;
}

/** `slowMs`: so much longer takes each call of the operator. */
export function noteOutside(api: Api, slowMs = 0): Outside {
  const noted: Noted[] = [];
  const owed = new Map<string, number>();
  const deployments = new Map<string, Deployment>();
  const pods = new Map<string, Pod>();
  const settle = (what: string, isOwed: boolean): void => {
    const from = owed.get(what);
    if (isOwed && from === undefined) owed.set(what, performance.now());
    if (isOwed || from === undefined) return;
    owed.delete(what);
    noted.push({ kind: "awaited", what, from, to: performance.now() });
  };
  /** After an answered write of either side. */
  const take = ({ verb, resource, name, body }: ApiCall, answer: unknown): void => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server's answer to a call on that resource
    const object = answer as KubeObject;
    const key = name ?? nameIn(body);
    if (resource.plural === "persistentvolumeclaims")
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
      settle(`claim ${key}`, verb !== "delete" && (object as PersistentVolumeClaim).status?.phase !== "Bound");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    if (resource.plural === "deployments" && verb !== "delete") deployments.set(key, object as Deployment);
    if (resource.plural === "deployments" && verb === "delete" && deployments.delete(key)) settle(`pod of ${key}`, false);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    if (resource.plural === "pods" && verb !== "delete") pods.set(key, object as Pod);
    if (resource.plural === "pods" && verb === "delete") pods.delete(key);
    for (const [of, deployment] of deployments) settle(`pod of ${of}`, !isAsWanted(deployment, [...pods.values()]));
  };
  const operator = interceptApi(api, {
    call: async (call, next) => {
      const from = performance.now();
      try {
        if (slowMs > 0) await sleep(slowMs);
        const answer = await next();
        if (isWrite(call)) take(call, answer);
        return answer;
      } finally {
        if (call.resource.plural !== "events")
          noted.push({ kind: isWrite(call) ? "write" : "read", what: wordsOf(call), from, to: performance.now() });
      }
    },
  });
  const cluster = interceptApi(api, {
    call: async (call, next) => {
      // A turn begins with the claims. What is deleted it sees late: nobody who is measured waits for that.
      for (
        let ms = 0;
        ms < 200 && owed.size === 0 && call.verb === "list" && call.resource.plural === "persistentvolumeclaims";
        ms += 1
      )
        await sleep(1);
      const answer = await next();
      if (isWrite(call)) take(call, answer);
      return answer;
    },
  });
  const awaited = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
    const from = performance.now();
    try {
      return await call();
    } finally {
      noted.push({ kind: "awaited", what, from, to: performance.now() });
    }
  };
  return { noted, operator, cluster, awaited };
}

const isWrite = ({ verb }: ApiCall): boolean => !["get", "list", "watch"].includes(verb);

const wordsOf = ({ verb, resource, name, subresource, body }: ApiCall): string =>
  [verb, resource.plural, name ?? nameIn(body), subresource, changed(body)]
    .filter((word) => word !== undefined && word !== "")
    .join(" ");

/** What a patch of a status or of metadata changes; of the conditions, what the summary says. */
function changed(body: unknown): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the operator sends
  const { status, metadata } = (body ?? {}) as { readonly status?: object; readonly metadata?: object };
  return Object.entries(status ?? metadata ?? {})
    .map(([field, value]: [string, unknown]) => (field === "conditions" ? `${field} (${summaryIn(value)})` : field))
    .join(", ");
}

function summaryIn(conditions: unknown): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const [first] = conditions as readonly { readonly type: string; readonly reason: string; readonly message: string }[];
  return first === undefined ? "" : `${first.type} ${first.reason}: ${first.message}`;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is created has a name
const nameIn = (body: unknown): string => (body as KubeObject | undefined)?.metadata?.name ?? "";

/** Whether the kubelet has done what a Deployment asks for: no pod is left, or one of this template is ready. */
function isAsWanted(deployment: Deployment, pods: readonly Pod[]): boolean {
  const { metadata, spec, status } = deployment;
  const own = pods.filter(({ metadata: { annotations = {} } }) => annotations["deployment"] === metadata.uid);
  if (spec.replicas === 0)
    return own.length === 0 && status?.observedGeneration === metadata.generation && (status?.replicas ?? 0) === 0;
  return own.some(
    (pod) =>
      pod.metadata.annotations?.["generation"] === templateOf(deployment) && pod.status?.containerStatuses?.[0]?.ready === true,
  );
}
