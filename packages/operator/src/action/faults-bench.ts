/** Faults at the writes of an operator, and the tests that go through all of them. */
import { ok } from "node:assert/strict";
import { test } from "node:test";
import { type Api, ApiError, interceptApi } from "kube-runtime";
import {
  atWrite,
  type Fault,
  type FaultyApi,
  faultyApi,
  isFullTier,
  seededRandom,
  testSeed,
  writesOf,
} from "kube-runtime/testing";

/** An API with a fault at one of its writes. */
export interface Faulty {
  readonly wrap: (api: Api) => Api;
  readonly written: () => number;
  readonly isDead: () => boolean;
}

function faultyAt(nth: number, fault: Fault): Faulty {
  let wrapped: FaultyApi | undefined;
  return {
    wrap: (api) => {
      wrapped = faultyApi(api, atWrite(nth, fault));
      return wrapped;
    },
    written: () => (wrapped === undefined ? 0 : writesOf(wrapped)),
    isDead: () => wrapped?.crashed() === true,
  };
}

/** Its user dies at the nth write, just before it is sent or just after it took effect. */
export const mortal = (death: number, when: "before" | "after"): Faulty => faultyAt(death, { kind: "crash", when });

/** The nth write is lost, or does its work and gives no answer. */
export const lossy = (nth: number, what: "unsent" | "answer lost"): Faulty =>
  faultyAt(nth, { kind: what === "unsent" ? "fail" : "loseAnswer", error: new ApiError({ kind: "unavailable" }, "no answer") });

/** Of the writes that `nameOf` names by their body, only the one named `arrives` takes effect, and its user dies of it. */
export function diesAfter(arrives: string, nameOf: (body: string) => string | undefined): Pick<Faulty, "wrap" | "isDead"> {
  let isDead = false;
  return {
    wrap: (api) =>
      interceptApi(api, {
        call: async (call, next) => {
          const name = nameOf(JSON.stringify(call.body ?? {}));
          if (isDead || (name !== undefined && name !== arrives)) throw new ApiError({ kind: "unavailable" }, "it is dead");
          const answer = await next();
          isDead = name !== undefined;
          return answer;
        },
      }),
    isDead: () => isDead,
  };
}

/** Carries an action out under the fault that `faultAt` gives of the nth write, and asserts what holds. Gives how many it wrote. */
export type Through = (faultAt: (nth: number) => Faulty, nth: number) => Promise<number>;

/** Tests of an action with each fault at some of its writes; it makes more than `writes`. */
export function faultTests(
  { name, holds, writes }: Record<"name" | "holds", string> & { writes: number },
  through: Through,
): void {
  void test(`an operator that dies at any write of a ${name}: ${holds}`, async () => {
    const all = await through((nth) => mortal(nth, "before"), Infinity);
    ok(all > writes, `${all} writes`);
    for (const nth of sampled(all))
      for (const moment of ["before", "after"] as const) await through((at) => mortal(at, moment), nth);
  });
  void test(`any write of a ${name} lost, or its answer`, async () => {
    const all = await through((nth) => lossy(nth, "unsent"), Infinity);
    for (const nth of sampled(all))
      for (const what of ["unsent", "answer lost"] as const) await through((at) => lossy(at, what), nth);
  });
}

/** Some of the writes, by a seed that is printed; all of them in the longest tier. */
function sampled(count: number): readonly number[] {
  const all = [...Array(count).keys()].map((at) => at + 1);
  if (isFullTier) return all;
  const random = seededRandom(testSeed);
  console.log(`${count} writes; seed ${testSeed}`);
  return all
    .map((nth) => ({ nth, order: random() }))
    .toSorted((a, b) => a.order - b.order)
    .slice(0, 5)
    .map(({ nth }) => nth);
}
