import { setTimeout as delay } from "node:timers/promises";
import type { Api, ApiCall } from "../client/api.ts";
import type { ApiError } from "../client/api-error.ts";
import type { Random } from "../support/clock.ts";

/** What happens to one call. */
export type Fault =
  /** It never reached the API server. */
  | { readonly kind: "fail"; readonly error: ApiError }
  /** It did its work, and the answer was lost. */
  | { readonly kind: "loseAnswer"; readonly error: ApiError }
  | { readonly kind: "delay"; readonly ms: number }
  /** It was sent twice; the second answer counts. */
  | { readonly kind: "duplicate" }
  /** The process ended before or after this call: nothing it does later arrives. */
  | { readonly kind: "crash"; readonly when: "before" | "after" };

/** Decides by the call and its number, from 1. Watches are not counted: how often they reconnect is not the test's. */
export type FaultPlan = (call: ApiCall, number: number) => Fault | undefined;

/** Thrown at everything a process does after its crash. */
export class CrashedError extends Error {
  override readonly name = "CrashedError";
}

export interface FaultyApi extends Api {
  /** The calls so far, watches not counted. */
  readonly calls: () => readonly ApiCall[];
  readonly crashed: () => boolean;
}

/** Puts a plan of faults around an API. The same plan over the same calls does the same. */
export function faultyApi(api: Api, plan: FaultPlan): FaultyApi {
  const calls: ApiCall[] = [];
  const state = { crashed: false };
  const assertAlive = (): void => {
    if (state.crashed) throw new CrashedError("this process has crashed in the test");
  };
  return {
    calls: () => calls,
    crashed: () => state.crashed,
    watch: async (call, signal) => {
      assertAlive();
      return untilCrash(await api.watch(call, signal), assertAlive);
    },
    call: async (call, signal) => {
      assertAlive();
      calls.push(call);
      const fault = plan(call, calls.length);
      const next = async (): Promise<unknown> => {
        const value = await api.call(call, signal);
        assertAlive(); // another call crashed us meanwhile
        return value;
      };
      switch (fault?.kind) {
        case undefined:
          return next();
        case "fail":
          throw fault.error;
        case "loseAnswer":
          await next();
          throw fault.error;
        case "delay":
          await delay(fault.ms, undefined, { signal });
          return next();
        case "duplicate":
          await next();
          return next();
        case "crash":
          if (fault.when === "after") await next();
          state.crashed = true;
          assertAlive();
          return undefined;
        default:
          return fault satisfies never;
      }
    },
  };
}

/** A dead process sees nothing any more. */
async function* untilCrash(frames: AsyncIterable<unknown>, assertAlive: () => void): AsyncGenerator {
  for await (const frame of frames) {
    assertAlive();
    yield frame;
  }
}

/** Crashes at the nth call. */
export const crashAt =
  (number: number, when: "before" | "after"): FaultPlan =>
  (_call, at) =>
    at === number ? { kind: "crash", when } : undefined;

/** Has a fault at the nth write. */
export function atWrite(number: number, fault: Fault): FaultPlan {
  let writes = 0;
  return (call) => {
    if (!changesState(call)) return undefined;
    writes += 1;
    return writes === number ? fault : undefined;
  };
}

/** How many writes have been made. */
export const writesOf = (api: FaultyApi): number => api.calls().filter(changesState).length;

/** Fails the nth call. */
export const failAt =
  (number: number, error: ApiError): FaultPlan =>
  (_call, at) =>
    at === number ? { kind: "fail", error } : undefined;

/** Each call has this fault with this probability. Give it a seeded random, and print the seed. */
export const sometimes =
  (probability: number, fault: Fault, random: Random): FaultPlan =>
  () =>
    random() < probability ? fault : undefined;

export const isWrite = ({ verb }: ApiCall): boolean =>
  verb === "create" || verb === "update" || verb === "patch" || verb === "delete";

/** A write. Events are none of these: they tell people what happened, and are not state. */
export const changesState = (call: ApiCall): boolean => isWrite(call) && call.resource.group !== "events.k8s.io";
