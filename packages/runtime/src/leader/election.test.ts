import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { test } from "node:test";
import { ApiError, isApiError } from "../client/api-error.ts";
import { createClient } from "../client/create-client.ts";
import { type Interceptor, interceptApi } from "../client/intercept.ts";
import { leases } from "../kinds/cluster.ts";
import { configMaps } from "../kinds/core.ts";
import { silentLog } from "../support/log.ts";
import { type MemoryApi, memoryApi } from "../testing/memory-api.ts";
import { createVirtualClock, type VirtualClock } from "../testing/virtual-clock.ts";
import { createElection, type Election, LeadershipLostError } from "./election.ts";
import { createFence, type Fence, fencedApi } from "./fence.ts";

const signal = new AbortController().signal;
const key = { namespace: "n", name: "lease" };

interface Candidate {
  readonly election: Election;
  readonly fence: Fence;
}

function candidate(api: MemoryApi, clock: VirtualClock, identity: string, faults: Interceptor = {}): Candidate {
  const fence = createFence(clock);
  const client = createClient(interceptApi(api, faults), { fieldManager: identity });
  const times = { leaseSeconds: 15, renewDeadlineSeconds: 10, retrySeconds: 2 };
  return {
    fence,
    election: createElection({ client, fence, ...key, identity, ...times, clock, random: () => 0, log: silentLog }),
  };
}

const world = (): {
  readonly api: MemoryApi;
  readonly clock: VirtualClock;
  readonly holder: () => Promise<string | undefined>;
} => {
  const clock = createVirtualClock();
  const api = memoryApi({ now: clock.now });
  const client = createClient(api, { fieldManager: "test" });
  return { api, clock, holder: async () => (await client.find(leases, key, signal))?.spec?.holderIdentity };
};

/** How a promise stands, without waiting for it. */
function watchPromise(promise: Promise<unknown>): { state: "pending" | "resolved" | "rejected"; error?: unknown } {
  const seen: { state: "pending" | "resolved" | "rejected"; error?: unknown } = { state: "pending" };
  promise.then(
    () => (seen.state = "resolved"),
    (error: unknown) => Object.assign(seen, { state: "rejected", error }),
  );
  return seen;
}

test("the first takes the lease at once, and the second waits while the first renews", async () => {
  const { api, clock, holder } = world();
  const [a, b] = [candidate(api, clock, "a"), candidate(api, clock, "b")];
  await a.election.acquire(signal);
  const stop = new AbortController();
  void a.election.hold(stop.signal);
  const second = watchPromise(b.election.acquire(stop.signal));
  await clock.advance(60_000);
  deepEqual([await holder(), second.state, a.fence.isOpen(), b.fence.isOpen()], ["a", "pending", true, false]);
  stop.abort(new Error("over"));
  await clock.settle();
});

test("a holder that goes silent is replaced after the lease time, not before", async () => {
  const { api, clock, holder } = world();
  const [a, b] = [candidate(api, clock, "a"), candidate(api, clock, "b")];
  await a.election.acquire(signal);
  const second = watchPromise(b.election.acquire(signal));
  await clock.advance(14_900);
  equal(second.state, "pending");
  await clock.advance(200);
  deepEqual([second.state, await holder()], ["resolved", "b"]);
  equal(a.fence.isOpen(), false, "two may act at once");
});

test("given back, the lease is taken without waiting", async () => {
  const { api, clock, holder } = world();
  const [a, b] = [candidate(api, clock, "a"), candidate(api, clock, "b")];
  await a.election.acquire(signal);
  const second = watchPromise(b.election.acquire(signal));
  await clock.settle();
  await a.election.release();
  await clock.advance(10);
  deepEqual([second.state, await holder(), a.fence.isOpen()], ["resolved", "b", false]);
});

test("given back also when the last renewal arrived without our knowing", async () => {
  const { api, clock, holder } = world();
  const a = candidate(api, clock, "a");
  await a.election.acquire(signal);
  const client = createClient(api, { fieldManager: "test" });
  await client.patch(leases, key, { spec: { renewTime: "2026-01-01T00:00:01.000000Z" } }, signal);
  await a.election.release();
  equal(await holder(), "");
});

test("the fence closes at the renew deadline, counted from before the last renewal was sent", async () => {
  const { api, clock } = world();
  let slow = false;
  const a = candidate(api, clock, "a", {
    call: async (_call, next) => {
      const answer = await next();
      if (slow) await clock.sleep(1500, signal); // the answer is long under way
      return answer;
    },
  });
  await a.election.acquire(signal);
  const stop = new AbortController();
  void a.election.hold(stop.signal).catch(() => undefined);
  slow = true;
  await clock.advance(2000 + 1500);
  equal(a.fence.until(), 2000 + 10_000);
  stop.abort(new Error("over"));
});

test("a leader that cannot renew is told exactly when its time is over", async () => {
  const { api, clock } = world();
  let cut = false;
  const a = candidate(api, clock, "a", {
    call: async (_call, next) => {
      if (cut) throw new ApiError({ kind: "unavailable" }, "cut off");
      return next();
    },
  });
  await a.election.acquire(signal);
  const held = watchPromise(a.election.hold(signal));
  cut = true;
  await clock.advance(9900);
  deepEqual([held.state, a.fence.isOpen()], ["pending", true]);
  await clock.advance(300);
  equal(held.state, "rejected");
  ok(held.error instanceof LeadershipLostError);
});

test("a leader whose lease was taken is told at its next renewal", async () => {
  const { api, clock } = world();
  const a = candidate(api, clock, "a");
  await a.election.acquire(signal);
  const held = watchPromise(a.election.hold(signal));
  const client = createClient(api, { fieldManager: "test" });
  await client.patch(leases, key, { spec: { holderIdentity: "thief" } }, signal);
  await clock.advance(2100);
  equal(held.state, "rejected");
  equal(a.fence.isOpen(), false);
});

test("one renewal that fails does not end a leader", async () => {
  const { api, clock } = world();
  let failures = 3;
  const a = candidate(api, clock, "a", {
    call: async (call, next) => {
      if (call.verb === "update" && failures-- > 0) throw new ApiError({ kind: "timeout" }, "slow");
      return next();
    },
  });
  await a.election.acquire(signal);
  const stop = new AbortController();
  const held = watchPromise(a.election.hold(stop.signal));
  await clock.advance(30_000);
  deepEqual([held.state, a.fence.isOpen()], ["pending", true]);
  stop.abort(new Error("over"));
  await clock.settle();
});

test("of two that find the lease free at once, one gets it", async () => {
  const { api, clock } = world();
  const all = ["a", "b", "c"].map((identity) => candidate(api, clock, identity));
  const seen = all.map(({ election }) => watchPromise(election.acquire(signal)));
  await clock.advance(5000);
  equal(seen.filter(({ state }) => state === "resolved").length, 1);
  equal(all.filter(({ fence }) => fence.isOpen()).length, 1);
});

test("what was queued before the time was over does not leave after it", async () => {
  const { api, clock } = world();
  const fence = createFence(clock);
  fence.openUntil(1000);
  // A limit, a connection being opened, a token being read: the check comes after all of them.
  const slow = interceptApi(api, {
    call: async (_call, next) => {
      await clock.sleep(2000, signal);
      return next();
    },
  });
  const client = createClient(fencedApi(slow, fence), { fieldManager: "test" });
  const sent = rejects(client.create(configMaps, { metadata: { namespace: "n", name: "late" } }, signal), (error: unknown) =>
    isApiError(error, "fenced"),
  );
  await clock.advance(3000);
  await sent;
  equal(await createClient(api, { fieldManager: "test" }).find(configMaps, { namespace: "n", name: "late" }, signal), undefined);
});

test("a leader whose renewals hang, deaf to their signal, is told exactly when its time is over", async () => {
  const { api, clock } = world();
  let hanging = false;
  const a = candidate(api, clock, "a", { call: (_call, next) => (hanging ? new Promise(() => undefined) : next()) });
  await a.election.acquire(signal);
  const held = watchPromise(a.election.hold(signal));
  hanging = true;
  await clock.advance(9900);
  equal(held.state, "pending");
  await clock.advance(101);
  equal(held.state, "rejected");
  ok(held.error instanceof LeadershipLostError);
});

test("the look at whose the lease is now, after a conflict, is bounded too", async () => {
  const { api, clock } = world();
  let hanging = false;
  const a = candidate(api, clock, "a", {
    call: async (call, next) => {
      if (!hanging) return next();
      if (call.verb === "update") throw new ApiError({ kind: "conflict" }, "somebody was faster");
      return new Promise(() => undefined);
    },
  });
  await a.election.acquire(signal);
  const held = watchPromise(a.election.hold(signal));
  hanging = true;
  await clock.advance(10_001);
  equal(held.state, "rejected");
});

test("an answer that comes after the leadership was lost opens nothing", async () => {
  const { api, clock } = world();
  let slow = false;
  const a = candidate(api, clock, "a", {
    call: async (_call, next) => {
      const answer = await next();
      if (slow) await clock.sleep(9000, signal); // the answer is long under way
      return answer;
    },
  });
  await a.election.acquire(signal);
  const held = watchPromise(a.election.hold(signal));
  slow = true;
  await clock.advance(10_001);
  equal(held.state, "rejected");
  await clock.advance(1500);
  equal(a.fence.isOpen(), false);
});

test("stopped in the moment in which the lease became ours, it is given back", async () => {
  for (const withLease of [false, true]) {
    const { api, clock, holder } = world();
    const stop = new AbortController();
    const a = candidate(api, clock, "a", {
      call: async (call, next, own) => {
        const answer = await next();
        if (call.verb === "create" || (withLease && call.verb === "update")) stop.abort(new Error("SIGTERM"));
        own.throwIfAborted();
        return answer;
      },
    });
    if (withLease) {
      const client = createClient(api, { fieldManager: "test" });
      await client.create(leases, { metadata: key, spec: { holderIdentity: "", leaseDurationSeconds: 1 } }, signal);
    }
    const other = candidate(api, clock, "b");
    const acquiring = watchPromise(a.election.acquire(stop.signal));
    await clock.advance(10);
    equal(acquiring.state, "rejected");
    equal(await holder(), "", "the lease was left behind");
    const second = watchPromise(other.election.acquire(signal));
    await clock.advance(10);
    equal(second.state, "resolved");
  }
});

test("a lease that was deleted, and made anew by a renewal whose answer was lost, is still ours", async () => {
  const { api, clock, holder } = world();
  let lose = false;
  const a = candidate(api, clock, "a", {
    call: async (call, next) => {
      const answer = await next();
      if (lose && call.verb === "create") {
        lose = false;
        throw new ApiError({ kind: "unavailable" }, "the answer was lost");
      }
      return answer;
    },
  });
  await a.election.acquire(signal);
  const stop = new AbortController();
  const held = watchPromise(a.election.hold(stop.signal));
  await createClient(api, { fieldManager: "test" }).delete(leases, key, signal);
  lose = true;
  await clock.advance(30_000);
  deepEqual([held.state, a.fence.isOpen(), await holder()], ["pending", true, "a"]);
  stop.abort(new Error("over"));
  await clock.settle();
});
