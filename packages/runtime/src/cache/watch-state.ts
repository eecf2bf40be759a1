import type { ApiErrorKind } from "../client/api-error.ts";

/**
 * Where the protocol between us and the API server stands. `failures` counts what went wrong in a row, for the back-off.
 *
 *   gathering ──bookmark──► watching ◄──answer── listing
 *       │  not offered here ──────────────────────►│
 *       └────────┬────────────┴────────────────────┘
 *         pausing ◄──failed, ended early──  then the same again; after 410 from the beginning
 */
export type WatchState =
  /** A watch that begins with all objects is open; they are gathered until its bookmark says that these were all. */
  | { readonly kind: "gathering"; readonly failures: number }
  /** A list is asked for, from a server that does not offer the above. */
  | { readonly kind: "listing"; readonly failures: number }
  /** Everything up to `resourceVersion` is known; a watch goes on from there. */
  | { readonly kind: "watching"; readonly resourceVersion: string; readonly failures: number; readonly canGather: boolean }
  /** Something failed: wait, then go into `next`. */
  | { readonly kind: "pausing"; readonly next: Exclude<WatchState, { kind: "pausing" }> };

export type WatchInput =
  /** An object as of now, or its end. Also what a gathering watch begins with. */
  | { readonly kind: "event"; readonly resourceVersion: string }
  | { readonly kind: "bookmark"; readonly resourceVersion: string; readonly initialEventsEnd: boolean }
  | { readonly kind: "listed"; readonly resourceVersion: string }
  /** The API server ended the watch in good order, as it does after some minutes. */
  | { readonly kind: "ended"; readonly lastedMs: number; readonly jitter: number }
  | { readonly kind: "failed"; readonly error: WatchFailure; readonly lastedMs: number; readonly jitter: number }
  | { readonly kind: "paused" };

export interface WatchFailure {
  /** `unknown`: nothing that a client throws, so a bug or a broken answer. */
  readonly kind: ApiErrorKind | "unknown";
  readonly retryAfterSeconds?: number;
}

/** What to do next. `read` means: go on with the watch that is open. */
export type WatchAction =
  | { readonly kind: "gather" }
  | { readonly kind: "list" }
  | { readonly kind: "watch"; readonly resourceVersion: string }
  | { readonly kind: "pause"; readonly ms: number }
  | { readonly kind: "read" }
  /** Make what was gathered the content of the store, then go on reading. */
  | { readonly kind: "adopt"; readonly resourceVersion: string };

export interface WatchTransition {
  readonly state: WatchState;
  readonly action: WatchAction;
}

export const firstState: WatchState = { kind: "gathering", failures: 0 };

/** The action with which a state is entered. */
export function enter(state: WatchState): WatchTransition {
  switch (state.kind) {
    case "gathering":
      return { state, action: { kind: "gather" } };
    case "listing":
      return { state, action: { kind: "list" } };
    case "watching":
      return { state, action: { kind: "watch", resourceVersion: state.resourceVersion } };
    case "pausing":
      return enter(state.next);
    default:
      return state satisfies never;
  }
}

/** The whole protocol: from a state and what happened to the next state and what to do. Pure. */
export function transition(state: WatchState, input: WatchInput): WatchTransition {
  switch (input.kind) {
    case "event":
      return state.kind === "watching" ? go({ ...state, resourceVersion: input.resourceVersion, failures: 0 }) : go(state);
    case "bookmark":
      return onBookmark(state, input);
    case "listed":
      return enter({
        kind: "watching",
        resourceVersion: input.resourceVersion,
        failures: 0,
        canGather: state.kind === "gathering",
      });
    case "ended":
      // A watch that ends at once, again and again, must not become a busy loop.
      return input.lastedMs >= 1000 ? enter(withoutFailures(state)) : pause(state, input.jitter, undefined);
    case "failed":
      return onFailure(state, input);
    case "paused":
      return enter(state);
    default:
      return input satisfies never;
  }
}

const go = (state: WatchState): WatchTransition => ({ state, action: { kind: "read" } });

function onBookmark(
  state: WatchState,
  { resourceVersion, initialEventsEnd }: WatchInput & { kind: "bookmark" },
): WatchTransition {
  if (state.kind === "watching") return go({ ...state, resourceVersion, failures: 0 });
  if (state.kind !== "gathering" || !initialEventsEnd) return go(state);
  return {
    state: { kind: "watching", resourceVersion, failures: 0, canGather: true },
    action: { kind: "adopt", resourceVersion },
  };
}

function onFailure(state: WatchState, { error, lastedMs, jitter }: WatchInput & { kind: "failed" }): WatchTransition {
  // The API server does not know watches that begin with all objects (before 1.34, or switched off).
  if (state.kind === "gathering" && (error.kind === "invalid" || error.kind === "badRequest"))
    return enter({ kind: "listing", failures: 0 });
  const base = lastedMs >= healthyMs ? withoutFailures(state) : state;
  // What we know is too old to go on from. The first time at once, then with back-off: one relist for one 410.
  if (error.kind === "gone")
    return failuresOf(base) === 0 ? enter(fromTheStart(base, 1)) : pause(fromTheStart(base, failuresOf(base)), jitter, undefined);
  // A server that was restored from a backup refuses a version from its future, for ever.
  if (error.kind === "timeout" && base.kind === "watching" && failuresOf(base) >= 3)
    return pause(fromTheStart(base, failuresOf(base)), jitter, undefined);
  return pause(base, jitter, error.retryAfterSeconds);
}

/** A watch that stood for this long was healthy: its end is no reason for a longer back-off. */
const healthyMs = 5000;
const firstPauseMs = 100;
/** With the time a list takes, this keeps the promise of 5 s after a restart of the API server. */
const longestPauseMs = 4000;

/** Waits between half of the back-off and all of it, as `jitter` from 0 to 1 says, then does the same again. */
function pause(state: WatchState, jitter: number, retryAfterSeconds: number | undefined): WatchTransition {
  const again = state.kind === "pausing" ? state.next : state;
  const backOffMs = Math.min(firstPauseMs * 2 ** again.failures, longestPauseMs);
  const askedMs = Math.min((retryAfterSeconds ?? 0) * 1000, longestPauseMs);
  const ms = Math.max(backOffMs * (0.5 + jitter / 2), askedMs);
  return { state: { kind: "pausing", next: { ...again, failures: again.failures + 1 } }, action: { kind: "pause", ms } };
}

const failuresOf = (state: WatchState): number => (state.kind === "pausing" ? state.next.failures : state.failures);

function withoutFailures(state: WatchState): WatchState {
  return state.kind === "pausing" ? state : { ...state, failures: 0 };
}

function fromTheStart(state: WatchState, failures: number): WatchState {
  const canGather = state.kind === "gathering" || (state.kind === "watching" && state.canGather);
  return canGather ? { kind: "gathering", failures } : { kind: "listing", failures };
}
