import { rejects } from "node:assert/strict";
import { test } from "node:test";
import { ApiError, type ExecRequest, type ExecResult, type Pod } from "kube-runtime";
import { askPod, Unreachable } from "./ask-pod.ts";

const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "orders-1", namespace: "shop", uid: "u", resourceVersion: "1", creationTimestamp: "" },
  spec: { containers: [] },
};
const command = { command: ["true"], stdin: "" };
const failing = (error: unknown) => ({
  exec: async (): Promise<ExecResult> => {
    throw error;
  },
});
const silent = {
  exec: async (_request: ExecRequest, signal: AbortSignal): Promise<ExecResult> =>
    await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true })),
};
const forever = new AbortController().signal;

test("askPod: a pod that gives no answer in its time is Unreachable, in words", async () => {
  const held = setTimeout(() => undefined, 5000); // the limit alone does not keep a process alive
  await rejects(askPod(silent, pod, command, forever, 0.05), new Unreachable("no answer within 0.05 s"));
  clearTimeout(held);
});

test("askPod: what the API server says of it is kept", async () => {
  await rejects(
    askPod(failing(new ApiError({ kind: "unavailable" }, "dial tcp: refused")), pod, command, forever),
    new Unreachable("dial tcp: refused"),
  );
});

test("askPod: the end of the operator, a lost lead and a bug are no news of the pod", async () => {
  const stopped = AbortSignal.abort(new Error("stopping"));
  await rejects(askPod(failing(stopped.reason), pod, command, stopped), { message: "stopping" });
  for (const error of [new ApiError({ kind: "fenced" }, "not leading"), new TypeError("a bug")])
    await rejects(askPod(failing(error), pod, command, forever), error);
});
