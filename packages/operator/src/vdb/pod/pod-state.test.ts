import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import type { ContainerStatus, Pod } from "kube-runtime";
import { podState } from "./pod-state.ts";

const created = "2026-01-01T00:00:00Z";
const at = (seconds: number): number => Date.parse(created) + seconds * 1000;

function aPod(container: Partial<ContainerStatus> | undefined, conditions: NonNullable<Pod["status"]>["conditions"] = []): Pod {
  const status: ContainerStatus = { name: "postgres", ready: false, restartCount: 0, ...container };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "orders-1", namespace: "n", uid: "u", resourceVersion: "1", creationTimestamp: created },
    spec: { containers: [{ name: "postgres", image: "postgres:16.2" }] },
    status: { conditions, ...(container === undefined ? {} : { containerStatuses: [status] }) },
  };
}

const unscheduled = [{ type: "PodScheduled", status: "False" as const, message: "0/1 nodes are available: 1 Insufficient cpu." }];
const ended = (message: string, exitCode = 1) => ({ exitCode, message, finishedAt: new Date(at(50)).toISOString() });
const putOff = (message: string, exitCode = 1): Partial<ContainerStatus> => ({
  state: { waiting: { reason: "CrashLoopBackOff" } },
  lastState: { terminated: ended(message, exitCode) },
});

const failures: { name: string; why: string; given: Pod; reason: string; says: RegExp; waitingSince?: number }[] = [
  {
    name: "no image",
    why: "the registry's words and the image are what a person needs",
    given: aPod({ state: { waiting: { reason: "ErrImagePull", message: "connect: connection refused" } } }),
    reason: "ImagePullFailed",
    says: /postgres:16\.2.*connection refused/u,
  },
  {
    name: "no image, later",
    why: "the kubelet's other words for the same must not make another message",
    given: aPod({
      state: {
        waiting: {
          reason: "ImagePullBackOff",
          message: 'Back-off pulling image "postgres:16.2": ErrImagePull: connect: connection refused',
        },
      },
    }),
    reason: "ImagePullFailed",
    says: /^cannot pull image postgres:16\.2: connect: connection refused; fix spec\.image$/u,
  },
  {
    name: "the start script's reason",
    why: "it knows best; the kubelet tries again at once, a new pod would not be sooner",
    given: aPod({ state: { terminated: ended("vdb:NotADatabase: the volume has no folder data\n") } }),
    reason: "NotADatabase",
    says: /^the volume has no folder data$/u,
  },
  {
    name: "the start script's reason, while the kubelet waits",
    why: "between two starts the reason stands in the last state; a new pod would look sooner",
    given: aPod(putOff("vdb:MajorMismatch: 15, not 16")),
    reason: "MajorMismatch",
    says: /15, not 16/u,
    waitingSince: at(50),
  },
  {
    name: "PostgreSQL's last words",
    why: "what nobody foresaw is told as it was said",
    given: aPod(putOff("FATAL:  could not map anonymous shared memory")),
    reason: "Crashing",
    says: /exit code 1.*shared memory; lower shared_buffers.*raise spec\.resources\.limits\.memory$/su,
    waitingSince: at(50),
  },
  {
    name: "a made-up reason",
    why: "only known reasons become conditions: a log line must not choose one",
    given: aPod(putOff("vdb:Ready: trust me")),
    reason: "Crashing",
    says: /trust me/u,
    waitingSince: at(50),
  },
  {
    name: "no node has room",
    why: "the scheduler's words name what is short",
    given: aPod(undefined, unscheduled),
    reason: "Unschedulable",
    says: /Insufficient cpu.*lower spec\.resources/u,
  },
];

for (const { name, why, given, reason, says, waitingSince } of failures) {
  test(`podState: ${name}`, () => {
    const state = podState(given, at(60));
    if (state.kind !== "failed") throw new Error(`${state.kind}: ${why}`);
    equal(state.reason, reason, why);
    match(state.message, says, why);
    equal(state.waitingSince, waitingSince, why);
  });
}

const others: { name: string; why: string; given: Pod; seconds: number; kind: string }[] = [
  {
    name: "running and ready",
    why: "its probe has asked the server",
    given: aPod({ ready: true, state: { running: {} }, containerID: "c1" }),
    seconds: 5,
    kind: "ready",
  },
  {
    name: "started, not yet ready",
    why: "without a startup probe that is no more than running",
    given: aPod({ started: true, state: { running: {} }, containerID: "c1" }),
    seconds: 5,
    kind: "starting",
  },
  {
    name: "running, not ready",
    why: "recovery takes what it takes",
    given: aPod({ state: { running: {} } }),
    seconds: 600,
    kind: "starting",
  },
  {
    name: "running again after an end",
    why: "the former end is over",
    given: aPod({ state: { running: {} }, lastState: { terminated: ended("vdb:NotADatabase: empty") } }),
    seconds: 5,
    kind: "starting",
  },
  {
    name: "ended for the first time, without a reason of ours",
    why: "a server that ran for days and crashed is back in a second: that is no crash loop",
    given: aPod({ state: { terminated: ended("FATAL:  terminating connection", 2) } }),
    seconds: 900_000,
    kind: "starting",
  },
  {
    name: "not scheduled at once",
    why: "a volume that has just been bound takes a moment",
    given: aPod(undefined, unscheduled),
    seconds: 1,
    kind: "starting",
  },
];
for (const { name, why, given, seconds, kind } of others)
  test(`podState: ${name}`, () => equal(podState(given, at(seconds)).kind, kind, why));

test("podState: a container that somebody puts before the database's is not the database", () => {
  const pod = aPod({ state: { running: {} } });
  const other: ContainerStatus = { name: "proxy", ready: true, restartCount: 0, containerID: "x", state: { running: {} } };
  const given = { ...pod, status: { ...pod.status, containerStatuses: [other, ...(pod.status?.containerStatuses ?? [])] } };
  equal(podState(given, at(5)).kind, "starting");
});

test("podState: every start has another container id", () => {
  const state = podState(aPod({ ready: true, state: { running: {} }, containerID: "containerd://2" }), at(1));
  deepEqual(state, { kind: "ready", containerId: "containerd://2" });
});
