/**
 * How a step ended. Expected outcomes are values; a throw is an outage or a bug, shown and retried with back-off by the
 * skeleton. `reason` is a CamelCase word, `message` is for people; both end up in condition, event and log.
 */
export type Outcome =
  | { readonly kind: "done"; readonly reason?: string; readonly message?: string }
  | { readonly kind: "after"; readonly seconds: number; readonly reason: string; readonly message: string } // nothing will wake us: look again then
  | { readonly kind: "waiting"; readonly reason: string; readonly message: string } // a watch will wake us
  | { readonly kind: "terminal"; readonly reason: string; readonly message: string }; // only a person can help

/** The step reached what it is for. Without words, those of the condition table are used. */
export const done = (words: { readonly reason?: string; readonly message?: string } = {}): Outcome => ({
  kind: "done",
  ...words,
});

/** Run again after this many seconds: for states of which no watch tells. */
export const after = (seconds: number, reason: string, message: string): Outcome => ({ kind: "after", seconds, reason, message });

/** Stop here until a watch brings a change. */
export const waiting = (reason: string, message: string): Outcome => ({ kind: "waiting", reason, message });

/** Stop here until a person changes something: the object is Stalled. It is looked at again on every change. */
export const terminal = (reason: string, message: string): Outcome => ({ kind: "terminal", reason, message });
