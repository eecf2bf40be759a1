import { isApiError } from "../client/api-error.ts";
import type { Client } from "../client/client.ts";
import { type Lease, leases } from "../kinds/cluster.ts";
import { type Clock, microTime, type Random } from "../support/clock.ts";
import { withinTime } from "../support/deadline.ts";
import { errorMessage } from "../support/error-message.ts";
import type { Log } from "../support/log.ts";
import type { Fence } from "./fence.ts";
import { type LeaseRecord, recordOf, type Sighting, sight, specOf, takeableInMs } from "./lease-record.ts";

export interface ElectionParts {
  /** Not fenced: it is what opens the fence. */
  readonly client: Client;
  readonly fence: Fence;
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly leaseSeconds: number;
  readonly renewDeadlineSeconds: number;
  readonly retrySeconds: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Thrown when the lease could not be renewed in time, or somebody else has it. The process should end: another acts now. */
export class LeadershipLostError extends Error {
  override readonly name = "LeadershipLostError";
}

/**
 * One holder at a time for one Lease.
 *
 * Guarantees: the fence is open only within `renewDeadlineSeconds` of the moment before a successful renewal was sent; another
 * may take the lease only `leaseSeconds` after it saw that renewal, so the difference is the time for requests under way.
 * Assumptions: monotonic clocks of all machines go at about the same speed. Wall clocks do not matter.
 */
export interface Election {
  /** Resolves when the lease is ours. */
  readonly acquire: (signal: AbortSignal) => Promise<void>;
  /** Renews until the signal is aborted; rejects with LeadershipLostError as soon as the fence has closed for good. */
  readonly hold: (signal: AbortSignal) => Promise<void>;
  /** Closes the fence and gives the lease back, so that another need not wait for its end. */
  readonly release: () => Promise<void>;
}

export function createElection(parts: ElectionParts): Election {
  const { client, fence, clock, random, log, identity } = parts;
  const key = { namespace: parts.namespace, name: parts.name };
  const state: Holding = { lease: undefined, sighting: undefined, claiming: false };

  const look = (lease: Lease): void => {
    state.lease = lease;
    state.sighting = sight(state.sighting, recordOf(lease), clock.monotonic());
  };
  /** Writes our claim. The fence opens for the time that began before the request left. */
  const claim = async (signal: AbortSignal): Promise<void> => {
    const sentMs = clock.monotonic();
    const before = state.lease === undefined ? undefined : recordOf(state.lease);
    const spec = specOf(claimOf(parts, before));
    state.claiming = true;
    const lease =
      state.lease === undefined
        ? await client.create(leases, { metadata: key, spec }, signal)
        : await client.update(leases, { ...state.lease, spec }, signal);
    signal.throwIfAborted(); // given up meanwhile: an answer that comes too late opens nothing
    state.claiming = false;
    look(lease);
    fence.openUntil(sentMs + parts.renewDeadlineSeconds * 1000);
  };
  /** One try to become the holder: true when it worked. */
  const tryAcquire = async (signal: AbortSignal): Promise<boolean> => {
    const lease = await client.find(leases, key, signal);
    if (lease === undefined) state.lease = undefined;
    else look(lease);
    if (lease !== undefined && state.sighting !== undefined && takeableInMs(state.sighting, identity, clock.monotonic()) > 0)
      return false;
    await claim(signal);
    return true;
  };
  /** Until the next try; not beyond the moment in which the lease can be taken, plus a little so that not all come at once. */
  const waitMs = (): number => {
    const retryMs = parts.retrySeconds * 1000 * (1 + random() * 0.2);
    const leftMs = state.sighting === undefined ? 0 : takeableInMs(state.sighting, identity, clock.monotonic());
    return leftMs > 0 ? Math.min(retryMs, leftMs + 1 + random() * 100) : retryMs;
  };

  const leave = async (what: string): Promise<void> => {
    try {
      await withinTime(clock, new AbortController().signal, 5000, what, (signal) => giveBack(parts, state, signal));
    } catch (error) {
      log.warn({ lease: parts.name, error: errorMessage(error) }, "the lease was not given back: it will run out");
    }
  };

  return {
    acquire: async (signal) => {
      for (;;) {
        const acquired = await tryAcquire(signal).catch(async (error: unknown) => {
          if (signal.aborted && state.claiming) await leave("taking back what was asked for");
          signal.throwIfAborted();
          if (!isApiError(error, "conflict", "alreadyExists"))
            log.warn({ lease: parts.name, error: errorMessage(error) }, "the lease could not be read or taken");
          return false;
        });
        if (acquired) return;
        await untilChange(parts, state, waitMs(), signal);
      }
    },
    hold: async (signal) => {
      while (!signal.aborted) {
        await clock.sleep(parts.retrySeconds * 1000, signal).catch(() => undefined); // aborted: the loop sees it
        if (signal.aborted) return;
        await renew(parts, state, claim, signal);
      }
    },
    release: async () => {
      const held = fence.isOpen();
      fence.close();
      if (held) await leave("giving the lease back");
    },
  };
}

function claimOf({ identity, leaseSeconds, clock }: ElectionParts, before: LeaseRecord | undefined): LeaseRecord {
  const now = microTime(clock.now());
  const ours = before?.holder === identity;
  return {
    holder: identity,
    leaseSeconds,
    renewTime: now,
    acquireTime: ours ? before.acquireTime : now,
    transitions: (before?.transitions ?? 0) + (ours || before === undefined ? 0 : 1),
  };
}

interface Holding {
  lease: Lease | undefined;
  sighting: Sighting | undefined;
  /** A claim was sent of which we do not know whether it arrived. */
  claiming: boolean;
}

/** A claim that was cut off by the stop may still have arrived: then the lease is ours in a newer version. */
async function giveBack(
  { client, identity, clock, namespace, name }: ElectionParts,
  state: Holding,
  signal: AbortSignal,
): Promise<void> {
  if (state.claiming) state.lease = await client.find(leases, { namespace, name }, signal);
  while (state.lease !== undefined && recordOf(state.lease).holder === identity) {
    const spec = specOf({ ...recordOf(state.lease), holder: "", leaseSeconds: 1, renewTime: microTime(clock.now()) });
    try {
      await client.update(leases, { ...state.lease, spec }, signal);
      return;
    } catch (error) {
      if (!isApiError(error, "conflict")) throw error;
      state.lease = await client.find(leases, { namespace, name }, signal);
    }
  }
}

/** Renews once, trying again until the fence closes. No try outlives the fence, whatever it hangs on. */
async function renew(
  parts: ElectionParts,
  state: Holding,
  claim: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { fence, clock, log, retrySeconds } = parts;
  while (!signal.aborted) {
    const leftMs = fence.until() - clock.monotonic();
    if (leftMs <= 0) throw lost(fence, "it could not be renewed in time");
    try {
      const ms = Math.min(leftMs, Math.max(1000, retrySeconds * 2000));
      await withinTime(clock, signal, ms, "renewing the lease", (bounded) => renewOnce(parts, state, claim, bounded));
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof LeadershipLostError) throw error;
      log.warn({ lease: parts.name, error: errorMessage(error) }, "the lease was not renewed: trying again");
      const restMs = Math.max(0, fence.until() - clock.monotonic());
      await clock.sleep(Math.min(200, restMs), signal).catch(() => undefined); // aborted: the loop sees it
    }
  }
}

/** When the lease is another version than we thought, or not there: looks whose it is. */
async function renewOnce(
  { client, fence, identity, namespace, name }: ElectionParts,
  state: Holding,
  claim: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await claim(signal);
  } catch (error) {
    if (!isApiError(error, "conflict", "notFound", "alreadyExists")) throw error;
    const found = await client.find(leases, { namespace, name }, signal);
    signal.throwIfAborted();
    state.lease = found;
    const holder = found === undefined ? identity : recordOf(found).holder;
    if (holder !== identity) throw lost(fence, `${holder === "" ? "nobody" : holder} has it now`);
    throw error;
  }
}

function lost(fence: Fence, why: string): LeadershipLostError {
  fence.close();
  return new LeadershipLostError(`the lease was lost: ${why}`);
}

/** Waits for the next try: `ms`, or less when a watch tells that the lease was given back. */
async function untilChange(
  { client, namespace, name, identity, clock }: ElectionParts,
  state: Holding,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  const controller = new AbortController();
  const stop = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  const from = state.lease === undefined ? {} : { resourceVersion: state.lease.metadata.resourceVersion };
  const options = { namespace, fieldSelector: `metadata.name=${name}`, timeoutSeconds: Math.ceil(ms / 1000) + 1, ...from };
  const watched = async (): Promise<void> => {
    for await (const event of client.watch(leases, options, controller.signal)) {
      if (event.type === "deleted") return;
      if (event.type === "bookmark") continue;
      state.sighting = sight(state.sighting, recordOf(event.object), clock.monotonic());
      if (takeableInMs(state.sighting, identity, clock.monotonic()) === 0) return;
    }
    await clock.sleep(ms, controller.signal);
  };
  const slept = clock.sleep(ms, controller.signal);
  try {
    // A watch that fails must not make the tries faster.
    await Promise.race([slept, watched().catch(() => slept)]);
  } finally {
    signal.removeEventListener("abort", stop);
    controller.abort(new Error("the wait is over"));
    await slept.catch(() => undefined);
  }
  signal.throwIfAborted();
}
