/** An operator's process that dies at one of its writes. */
import type { Api } from "kube-runtime";
import { atWrite, faultyApi, isFullTier, seededRandom, testSeed, writesOf } from "kube-runtime/testing";

export type Moment = "before" | "after";
/** An API that is gone for its user at the nth write, just before it is sent or just after it took effect. */
export function mortal(api: Api, death: number, when: Moment): Api & { readonly written: () => number } {
  const faulty = faultyApi(api, atWrite(death, { kind: "crash", when }));
  return { ...faulty, written: () => writesOf(faulty) };
}

/** Some of the deaths there are, by a seed that is printed; all of them in the longest tier. */
export function chosenDeaths(count: number, some: number): readonly { readonly death: number; readonly moment: Moment }[] {
  const random = seededRandom(testSeed);
  const all = Array.from({ length: count }, (_, index) => index + 1).flatMap((death) =>
    (["before", "after"] as const).map((moment) => ({ death, moment })),
  );
  const chosen = isFullTier ? all : all.toSorted(() => random() - 0.5).slice(0, some);
  console.log(`${count} writes; seed ${testSeed}, ${chosen.length} deaths`);
  return chosen;
}
