import { deepEqual, equal } from "node:assert/strict";
import { describe, test } from "node:test";
import { type Deployment, deployments, type Pod, pods, services } from "kube-runtime";
import { desiredDeployment } from "../objects/deployment.ts";
import { withHash } from "../objects/spec-hash.ts";
import { aPod, aService, contentId, forever, type Given, meta, refusedBy, stepBench } from "../step-bench.ts";
import { aVdb } from "../testing.ts";
import { ensureDeployment } from "./ensure-deployment.ts";

const status = {
  content: { id: contentId, claimName: "orders-c", madeBy: "create" },
  source: { type: "dct-source", postgresVersion: "16.2" },
};
const opened = { ...status.content, openedTime: "2026-01-01T00:00:00Z" };
const facts = { contentId, image: "postgres:16.2", claimName: "orders-c", restartedFor: undefined };

/** As the operator has written it, and its controller has seen it. */
function aDeployment(more: object = {}): Deployment {
  const { metadata, spec } = withHash(desiredDeployment(aVdb(), facts));
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { ...meta("orders"), ...metadata },
    spec,
    status: { observedGeneration: 1, updatedReplicas: 1, ...more },
  };
}
const service = aService("shut");
const waitingFor = (reason: string, message = "") => ({ ready: false, state: { waiting: { reason, message } } });
const activeAction = { kind: "PostgresTask", name: "t", namespace: "shop", uid: "u" };
const working: Given = { spec: { resources: { limits: { memory: "2Gi" } } }, status: { activeAction } };
const deployedFalse = {
  type: "Deployed",
  status: "False",
  message: "empty",
  lastTransitionTime: "2026-01-01T00:00:00Z",
} as const;

const refusesServices = (call: string): void => {
  if (call.startsWith("apply services")) throw refusedBy("forbidden", "no");
};

interface Row {
  readonly name: string;
  readonly why: string;
  readonly given?: Given;
  readonly deployment?: Deployment | "none";
  readonly pod?: Pod;
  /** The generation that the operator remembers of its last write. */
  readonly remembered?: number;
  readonly corrected?: boolean;
  readonly want: string;
  readonly writes: readonly string[];
}

const rows: readonly Row[] = [
  {
    name: "nothing yet",
    why: "a Service that leads nowhere, and one pod",
    deployment: "none",
    given: {},
    want: "waiting Starting",
    writes: ["apply services orders", "apply deployments orders"],
  },
  {
    name: "a policy refuses a new database's Service",
    why: "its pod starts meanwhile, behind the shut gate",
    deployment: "none",
    given: { beforeCall: refusesServices },
    want: "terminal Forbidden",
    writes: ["apply deployments orders"],
  },
  {
    name: "a policy refuses the Service of one that is there",
    why: "nothing happens to its pod before its Service is as wanted",
    remembered: 0,
    given: { status: { content: opened }, beforeCall: refusesServices },
    want: "terminal Forbidden",
    writes: [],
  },
  {
    name: "no image for the data's version",
    why: "only a person knows which",
    given: { flags: [] },
    want: "terminal ImageUnknown",
    writes: [],
  },
  {
    name: "the server answers",
    why: "a run that finds all as it should be writes nothing",
    pod: aPod(),
    want: "done",
    writes: [],
  },
  {
    name: "data that was opened, and a Service that leads nowhere",
    why: "somebody has changed the Service",
    pod: aPod(),
    given: { status: { content: opened } },
    want: "done",
    writes: ["apply services orders"],
  },
  {
    name: "data that an action has recorded as opened, and a Service that leads nowhere yet",
    why: "the server lets clients in before anybody is led to it",
    pod: aPod(),
    given: { status: { content: opened, activeAction } },
    want: "done",
    writes: [],
  },
  {
    name: "a Deployment that is not as the operator remembers to have written it",
    why: "somebody may have changed it: it is written once more, and its controller has yet to see that",
    pod: aPod(),
    remembered: 0,
    want: "waiting Starting",
    writes: ["apply deployments orders"],
  },
  {
    name: "a policy refuses the Deployment",
    why: "a person mends the policy",
    remembered: 0,
    given: {
      beforeCall: (call) => {
        if (call.startsWith("apply deployments")) throw refusedBy("forbidden", "no");
      },
    },
    want: "terminal Forbidden",
    writes: [],
  },
  {
    name: "an edit while an action works on a server that answers",
    why: "the pod is the action's until the turn's end",
    pod: aPod(),
    given: working,
    want: "done",
    writes: [],
  },
  {
    name: "an edit while an action works on a database whose pod fails",
    why: "nothing is disturbed, and the edit may be the cure",
    pod: aPod(waitingFor("ImagePullBackOff", "not found")),
    given: working,
    want: "waiting Starting",
    writes: ["apply deployments orders"],
  },
  {
    name: "the image cannot be pulled",
    why: "a person corrects it",
    pod: aPod(waitingFor("ImagePullBackOff", "not found")),
    want: "terminal ImagePullFailed",
    writes: [],
  },
  {
    name: "corrected settings for a pod that has failed",
    why: "a new pod starts with them at once",
    pod: aPod({ ready: false, state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: { terminated: { exitCode: 1 } } }),
    corrected: true,
    want: "terminal Crashing",
    writes: ["delete pods orders-pod"],
  },
  {
    name: "a pod of other data",
    why: "its server is not the one that is waited for",
    pod: aPod({}, { labels: {} }),
    want: "waiting Starting",
    writes: [],
  },
  {
    name: "a failure that the next start has yet to disprove",
    why: "each try is otherwise told as a fresh start",
    pod: aPod({ ready: false, state: { running: { startedAt: "2025-12-31T23:59:59Z" } } }),
    given: {
      status: { conditions: [{ ...deployedFalse, reason: "NotADatabase", observedGeneration: 1 }] },
    },
    want: "terminal NotADatabase",
    writes: [],
  },
];

const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: meta("c") };

describe("ensureDeployment", () => {
  for (const { name, why, given = {}, deployment = aDeployment(), pod, remembered = 1, corrected = false, want, writes } of rows)
    test(name, async () => {
      const own = deployment === "none" ? {} : { deployment, service };
      const all = { ...given, status: { ...status, ...given.status } };
      const bench = await stepBench({ ...all, ...own, pods: pod === undefined ? [] : [pod] });
      if (deployment !== "none") await bench.client.create(deployments, deployment, forever);
      if (pod !== undefined) await bench.client.create(pods, pod, forever);
      if (deployment !== "none") await bench.client.create(services, service, forever);
      bench.ctx.memory.deploymentGeneration = remembered;
      bench.writes.length = 0;
      const outcome = await ensureDeployment.run({ ...bench.ctx, configMap, settingsCorrected: corrected }, forever);
      equal([outcome.kind, ...(outcome.kind === "done" ? [] : [outcome.reason])].join(" "), want, why);
      deepEqual(bench.writes, writes, why);
      equal(
        outcome.kind === "done" ? outcome.found.pod.metadata.name : undefined,
        want === "done" ? "orders-pod" : undefined,
        "later steps speak to a server that answers",
      );
    });
});
