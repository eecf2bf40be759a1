/**
 * How a step ended. Expected outcomes are values; a throw is an outage or a bug, shown and retried by the skeleton unless the
 * kind's `explain` makes an outcome of it. `reason` is a CamelCase word, `message` is for people; both end up in condition,
 * event and log. `Reason`: the words that the step's condition is documented with, where a kind wants that checked.
 */
export type Outcome<Reason extends string = string> = Done<Reason> | Unmet<Reason>;

/** The outcome of a step that hands on what it has found, whenever it is done. */
export type Finding<Reason extends string, Found extends object> = (Done<Reason> & { readonly found: Found }) | Unmet<Reason>;

export interface Done<Reason extends string = string> {
  readonly kind: "done";
  readonly reason?: Reason;
  readonly message?: string;
  readonly again?: Again;
  /** Joins the context of the steps behind. */
  readonly found?: object;
}

/** Every outcome but done: the steps behind it do not run. */
export type Unmet<Reason extends string = string> =
  | { readonly kind: "after"; readonly reason: Reason; readonly message: string; readonly again: Again } // nothing will wake us: look again then
  | { readonly kind: "waiting"; readonly reason: Reason; readonly message: string } // a watch will wake us
  | { readonly kind: "terminal"; readonly reason: Reason; readonly message: string; readonly again?: Again }; // only a person can help

/** When the object is looked at again at the latest, although no watch has told of a change. */
export type Again =
  | { readonly recheckSeconds: number }
  /** As the kind's `backOff` has it for the time that this reason has lasted; `mostSeconds` bounds it further. */
  | { readonly backOff: true; readonly mostSeconds?: number };

export interface DoneOptions<Reason> {
  readonly reason?: Reason;
  readonly message?: string;
  readonly recheckSeconds?: number;
}

/**
 * The step reached what it is for. Without words, those of the condition table are used. `recheckSeconds`: what it found can
 * change without a watch telling; the steps behind it run all the same. `found`: what they have beside the observed context.
 */
export function done<Reason extends string = never, Found extends object = object>(
  options: DoneOptions<Reason> & { readonly found: Found },
): Done<Reason> & { readonly found: Found };
export function done<Reason extends string = never>(options?: DoneOptions<Reason>): Outcome<Reason>;
export function done({ recheckSeconds, ...rest }: DoneOptions<string> & { readonly found?: object } = {}): Done {
  return { kind: "done", ...rest, ...(recheckSeconds === undefined ? {} : { again: { recheckSeconds } }) };
}

/** Run again after this many seconds: for states of which no watch tells. */
export const after = <Reason extends string>(seconds: number, reason: Reason, message: string): Unmet<Reason> => ({
  kind: "after",
  again: { recheckSeconds: seconds },
  reason,
  message,
});

/** It may pass by itself, and no watch tells: run again after the kind's back-off, later each time. */
export const retry = <Reason extends string>(
  reason: Reason,
  message: string,
  { mostSeconds }: { readonly mostSeconds?: number } = {},
): Unmet<Reason> => ({
  kind: "after",
  again: { backOff: true, ...(mostSeconds === undefined ? {} : { mostSeconds }) },
  reason,
  message,
});

/** Stop here until a watch brings a change. */
export const waiting = <Reason extends string>(reason: Reason, message: string): Unmet<Reason> => ({
  kind: "waiting",
  reason,
  message,
});

/**
 * Stop here until a person changes something: the object is Stalled. It is looked at again on every change; with `again` also
 * without one, where no watch tells that the cause was mended.
 */
export const terminal = <Reason extends string>(reason: Reason, message: string, again?: Again): Unmet<Reason> => ({
  kind: "terminal",
  reason,
  message,
  ...(again === undefined ? {} : { again }),
});
