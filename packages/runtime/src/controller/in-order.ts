import type { FindingStep, Step } from "./kind.ts";

/** Steps that find things for one another: `Known` is what the next one has in its context. */
export interface Sequence<Ctx, Known> {
  readonly steps: readonly Step<Ctx>[];
  /** A step that needs what nobody before it has found does not compile. */
  readonly next: (<Found extends object>(step: FindingStep<Known, Found>) => Sequence<Ctx, Known & Found>) &
    ((step: Step<Known>) => Sequence<Ctx, Known>);
}

/** The empty sequence of a kind whose `observe` gives `Ctx`: `inOrder<Ctx>().next(first).next(second).steps`. */
export const inOrder = <Ctx>(): Sequence<Ctx, Ctx> => sequence<Ctx, Ctx>([]);

function sequence<Ctx, Known>(steps: readonly Step<Ctx>[]): Sequence<Ctx, Known> {
  return {
    steps,
    next: <Found extends object>(step: Step<Known>) =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `runSteps` joins what was found to the context of the next
      sequence<Ctx, Known & Found>([...steps, step as unknown as Step<Ctx>]),
  };
}
