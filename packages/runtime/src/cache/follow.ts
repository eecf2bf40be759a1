import { ApiError } from "../client/api-error.ts";
import type { Client, Selection, WatchEvent } from "../client/client.ts";
import { type KubeObject, keyOf } from "../objects/object.ts";
import { type Resource, resourceName } from "../objects/resource.ts";
import type { Clock, Random } from "../support/clock.ts";
import { errorMessage } from "../support/error-message.ts";
import type { Log } from "../support/log.ts";
import type { Store } from "./store.ts";
import {
  enter,
  firstState,
  transition,
  type WatchAction,
  type WatchFailure,
  type WatchInput,
  type WatchState,
} from "./watch-state.ts";

export interface Followed<T extends KubeObject> {
  readonly client: Client;
  readonly resource: Resource<T>;
  readonly selection: Selection;
  readonly store: Store<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly onSync: () => void;
  /** Counts lists, watches and failures for the metrics. */
  readonly onAction: (action: WatchAction["kind"]) => void;
}

/** Keeps the store as the API server has it, until the signal is aborted. What it does when is decided in watch-state.ts. */
export async function follow<T extends KubeObject>(followed: Followed<T>, signal: AbortSignal): Promise<void> {
  let { state, action } = enter(firstState);
  while (!signal.aborted) {
    const step = await perform(followed, state, action, signal);
    if (signal.aborted) return;
    ({ state, action } = transition(step.state, step.input));
  }
}

interface Performed {
  readonly state: WatchState;
  readonly input: WatchInput;
}

async function perform<T extends KubeObject>(
  followed: Followed<T>,
  state: WatchState,
  action: WatchAction,
  signal: AbortSignal,
): Promise<Performed> {
  const { client, resource, selection, store, clock, onSync } = followed;
  followed.onAction(action.kind);
  switch (action.kind) {
    case "pause":
      await clock.sleep(action.ms, signal).catch(() => undefined); // aborted: the loop sees it
      return { state, input: { kind: "paused" } };
    case "list":
      return attempt(
        followed,
        () => state,
        async () => {
          const { items, resourceVersion } = await client.list(resource, selection, signal);
          store.replaced(items, resourceVersion);
          onSync();
          return { state, input: { kind: "listed", resourceVersion } };
        },
      );
    case "gather":
      return readWatch(followed, state, { sendInitialEvents: true }, signal);
    case "watch":
      return readWatch(followed, state, { resourceVersion: action.resourceVersion }, signal);
    case "read":
    case "adopt":
      throw new Error(`the watch protocol came to "${action.kind}" without an open watch`);
    default:
      return action satisfies never;
  }
}

/** Reads one watch to its end. Each event goes through the protocol and then into the store. */
async function readWatch<T extends KubeObject>(
  followed: Followed<T>,
  first: WatchState,
  from: { readonly resourceVersion?: string; readonly sendInitialEvents?: boolean },
  signal: AbortSignal,
): Promise<Performed> {
  const { client, resource, selection, clock, random } = followed;
  // Between 5 and 10 minutes, so that many watches do not end together.
  const options = { ...selection, ...from, timeoutSeconds: Math.round(300 + random() * 300) };
  let state = first;
  const gathered = new Map<string, T>();
  return attempt(
    followed,
    () => state,
    async (startedMs) => {
      for await (const event of client.watch(resource, options, signal)) {
        const step = transition(state, inputOf(event));
        if (step.action.kind === "adopt") {
          followed.store.replaced([...gathered.values()], step.action.resourceVersion);
          gathered.clear();
          followed.onSync();
        } else if (state.kind === "gathering") gather(gathered, event);
        else keep(followed.store, event);
        state = step.state;
      }
      return { state, input: { kind: "ended", lastedMs: clock.monotonic() - startedMs, jitter: random() } };
    },
  );
}

function inputOf<T extends KubeObject>(event: WatchEvent<T>): WatchInput {
  if (event.type !== "bookmark") return { kind: "event", resourceVersion: event.object.metadata.resourceVersion };
  return { kind: "bookmark", resourceVersion: event.resourceVersion, initialEventsEnd: event.initialEventsEnd };
}

function gather<T extends KubeObject>(gathered: Map<string, T>, event: WatchEvent<T>): void {
  if (event.type === "bookmark") return;
  if (event.type === "deleted") gathered.delete(keyOf(event.object));
  else gathered.set(keyOf(event.object), event.object);
}

function keep<T extends KubeObject>(store: Store<T>, event: WatchEvent<T>): void {
  if (event.type === "bookmark") store.passed(event.resourceVersion);
  else if (event.type === "deleted") store.removed(event.object);
  else store.changed(event.object);
}

/** Turns a throw into an input of the protocol, and says it in the log. `stateNow` is asked after the throw. */
async function attempt<T extends KubeObject>(
  { clock, random, log, resource, onAction }: Followed<T>,
  stateNow: () => WatchState,
  work: (startedMs: number) => Promise<Performed>,
): Promise<Performed> {
  const startedMs = clock.monotonic();
  try {
    return await work(startedMs);
  } catch (error) {
    onAction("pause");
    log.debug({ resource: resourceName(resource), error: errorMessage(error) }, "the watch was interrupted");
    const input = { kind: "failed", error: failureOf(error), lastedMs: clock.monotonic() - startedMs, jitter: random() } as const;
    return { state: stateNow(), input };
  }
}

function failureOf(error: unknown): WatchFailure {
  if (!(error instanceof ApiError)) return { kind: "unknown" };
  const { kind, retryAfterSeconds } = error;
  return retryAfterSeconds === undefined ? { kind } : { kind, retryAfterSeconds };
}
