import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { test } from "node:test";
import { type Job, jobClass } from "./contract/job.ts";
import { DctError } from "./errors.ts";
import { waitForJob } from "./wait-for-job.ts";

/** A DCT that gives these answers one after the other (the last for ever), and a clock that only sleeping moves. */
function scripted(...answers: readonly (string | DctError | undefined)[]) {
  const pauses: number[] = [];
  let now = 0;
  let next = 0;
  const client = {
    getJob: async (id: string): Promise<Job | undefined> => {
      const answer = answers[Math.min(next++, answers.length - 1)];
      if (answer instanceof DctError) throw answer;
      return answer === undefined ? undefined : { id, status: answer };
    },
  };
  const sleep = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    pauses.push(milliseconds);
    now += milliseconds;
  };
  return { client, pauses, clock: { now: () => now, sleep } };
}
const signal = new AbortController().signal;

test("polls quickly first, then every two seconds", async () => {
  const { client, pauses, clock } = scripted(...Array.from({ length: 11 }, () => "STARTED"), "COMPLETED");
  const seen: string[] = [];
  const end = await waitForJob(client, "7", {
    signal,
    deadlineSeconds: 60,
    clock,
    onProgress: ({ status }) => seen.push(status),
  });
  equal(end.kind, "succeeded");
  deepEqual(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2000, 2000]);
  equal(seen.length, 11);
});

const ends = [
  { status: "COMPLETED", want: "succeeded" },
  { status: "FAILED", want: "failed" },
  { status: "CANCELED", want: "failed" },
  { status: "ABANDONED", want: "failed" },
  { status: "TIMEDOUT", want: "failed" },
  { status: undefined, want: "gone" },
  { status: "PENDING", want: "deadline" },
  { status: "RUNNING", want: "deadline" },
  { status: "WAITING", want: "deadline" },
  { status: "SUSPENDED", want: "deadline" },
  { status: "A_NEW_STATE", want: "deadline" },
] as const;
for (const { status, want } of ends) {
  test(`a job that is ${status ?? "unknown"} for good ends the wait as ${want}`, async () => {
    const { client, clock } = scripted(status);
    equal((await waitForJob(client, "7", { signal, deadlineSeconds: 30, clock })).kind, want);
  });
}

test("an outage is waited out, and named when it lasts", async () => {
  const outage = new DctError("unreachable", "no route");
  const back = scripted(outage, outage, "COMPLETED");
  equal((await waitForJob(back.client, "7", { signal, deadlineSeconds: 30, clock: back.clock })).kind, "succeeded");
  const lasting = scripted(outage);
  const end = await waitForJob(lasting.client, "7", { signal, deadlineSeconds: 30, clock: lasting.clock });
  equal(end.kind, "deadline");
  match(end.kind === "deadline" ? end.message : "", /no route/u);
});

test("the message of a job that goes on is the same after each wait, however long", async () => {
  const messages = new Set<string>();
  for (const deadlineSeconds of [1.5, 297.998]) {
    const { client, clock } = scripted("STARTED");
    const end = await waitForJob(client, "7", { signal, deadlineSeconds, clock });
    messages.add(end.kind === "deadline" ? end.message : end.kind);
  }
  deepEqual([...messages], ["job 7 has not ended yet: its status is STARTED"]);
});

test("a job that a person has to act on is polled slowly, and says so", async () => {
  const { client, pauses, clock } = scripted("SUSPENDED");
  const end = await waitForJob(client, "7", { signal, deadlineSeconds: 25, clock });
  deepEqual(pauses, [10_000, 10_000, 5_000]);
  match(end.kind === "deadline" ? end.message : "", /SUSPENDED: somebody has to resume or cancel it in DCT/u);
});

test("a job that only waits for telemetry goes on until DCT shows what it changed", async () => {
  const { clock } = scripted("STARTED");
  let looks = 0;
  const client = {
    getJob: async (id: string): Promise<Job> =>
      ++looks > 3 ? { id, status: "COMPLETED" } : { id, status: "STARTED", is_waiting_for_telemetry: true },
  };
  equal((await waitForJob(client, "7", { signal, deadlineSeconds: 30, clock })).kind, "succeeded");
  looks = Number.NEGATIVE_INFINITY;
  const end = await waitForJob(client, "7", { signal, deadlineSeconds: 1, clock });
  match(end.kind === "deadline" ? end.message : "", /the engine has done it, and DCT has yet to see/u);
});

test("a throttled poll waits as long as it was told", async () => {
  const { client, pauses, clock } = scripted(new DctError("throttled", "slow down", { retryAfterSeconds: 9 }), "COMPLETED");
  await waitForJob(client, "7", { signal, deadlineSeconds: 30, clock });
  deepEqual(pauses, [9000]);
});

test("a revoked key and a caller who gave up end the wait at once", async () => {
  const revoked = scripted(new DctError("unauthorized", "bad key"));
  await rejects(waitForJob(revoked.client, "7", { signal, deadlineSeconds: 30, clock: revoked.clock }), { kind: "unauthorized" });
  const waiting = scripted("STARTED");
  const gaveUp = AbortSignal.abort(new Error("stopping"));
  await rejects(waitForJob(waiting.client, "7", { signal: gaveUp, deadlineSeconds: 30, clock: waiting.clock }), /stopping/u);
});

test("a state that nobody knows yet goes on", () => equal(jobClass("PAUSED_BY_NEXT_YEAR"), "goesOn"));
