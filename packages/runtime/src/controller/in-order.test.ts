import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { inOrder } from "./in-order.ts";
import type { FindingStep, Step } from "./kind.ts";
import { after, done } from "./outcome.ts";
import { runSteps, type StepResult } from "./run-steps.ts";

interface Observed {
  readonly seen: string[];
}
const measure: FindingStep<Observed, { readonly size: number }> = {
  name: "measure",
  run: async () => done({ found: { size: 3 } }),
};
const cut: Step<Observed & { readonly size: number }> = {
  name: "cut",
  run: async ({ seen, size }) => {
    seen.push(`size ${size}`);
    return done();
  },
};

test("a step has what those before it have found, and the observed context stays as it was", async () => {
  const observed: Observed = { seen: [] };
  const { steps } = inOrder<Observed>().next(measure).next(cut);
  const results: StepResult[] = [];
  await runSteps({ steps, results }, observed, undefined, new AbortController().signal);
  deepEqual([results.map(({ step }) => step.name), observed], [["measure", "cut"], { seen: ["size 3"] }]);
});

test("what a step that is not done would need stays unknown: nothing behind it runs", async () => {
  const unable: typeof measure = { name: "measure", run: async () => after(1, "Slow", "no ruler yet") };
  const observed: Observed = { seen: [] };
  const { steps } = inOrder<Observed>().next(unable).next(cut);
  await runSteps({ steps, results: [] }, observed, undefined, new AbortController().signal);
  deepEqual(observed.seen, []);
});

test("an order in which something is needed before it is found does not compile", () => {
  // @ts-expect-error -- `cut` needs a size
  inOrder<Observed>().next(cut).next(measure);
});
