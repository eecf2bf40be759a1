/** An operator's process that dies at one of its writes. */
import { randomInt } from "node:crypto";
import { type Api, type ApiCall, ApiError, interceptApi } from "kube-runtime";
import { seededRandom } from "kube-runtime/testing";

export type Moment = "before" | "after";
const writes: ReadonlySet<string> = new Set(["create", "update", "patch", "delete"]);
const isWrite = ({ verb, resource }: ApiCall): boolean => writes.has(verb) && resource.plural !== "events";

const gone = (): never => {
  throw new ApiError({ kind: "unavailable" }, "the process is dead");
};

/** An API that is gone for its user at the nth write, just before it is sent or just after it took effect. */
export function mortal(api: Api, death: number, moment: Moment): Api & { readonly written: () => number } {
  let written = 0;
  let dead = false;
  const wrapped = interceptApi(api, {
    call: async (call, next) => {
      if (dead) return gone();
      if (!isWrite(call)) return await next();
      written += 1;
      if (written !== death) return await next();
      if (moment === "after") await next();
      dead = true;
      return gone();
    },
    watch: async (_call, next) => (dead ? gone() : await next()),
  });
  return { ...wrapped, written: () => written };
}

/** Some of the deaths there are, by a seed that is printed; all of them in the longest tier. */
export function chosenDeaths(count: number, some: number): readonly { readonly death: number; readonly moment: Moment }[] {
  const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));
  const random = seededRandom(seed);
  const all = Array.from({ length: count }, (_, index) => index + 1).flatMap((death) =>
    (["before", "after"] as const).map((moment) => ({ death, moment })),
  );
  const chosen = process.env["TEST_TIER"] === "all" ? all : all.toSorted(() => random() - 0.5).slice(0, some);
  console.log(`${count} writes; seed ${seed}, ${chosen.length} deaths`);
  return chosen;
}
