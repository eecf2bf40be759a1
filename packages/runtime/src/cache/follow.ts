import { ApiError, type ApiErrorKind } from "../client/api-error.ts";
import type { Client, Selection, WatchEvent } from "../client/client.ts";
import { type KubeObject, keyOf } from "../objects/object.ts";
import { type Resource, resourceName } from "../objects/resource.ts";
import type { Clock, Random } from "../support/clock.ts";
import { DeadlineError, withinTime } from "../support/deadline.ts";
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
  readonly resource: Resource;
  /** Undefined: it cannot be read, which was said; one bad object must not keep the cache from the others. */
  readonly decode: (object: KubeObject) => T | undefined;
  readonly selection: Selection;
  readonly store: Store<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly onSync: () => void;
  /** The API server said something: an answer, an event or a bookmark. */
  readonly onWord: () => void;
  readonly onFailure: (why: string) => void;
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
          followed.onWord();
          store.replaced(
            items.map(followed.decode).filter((object) => object !== undefined),
            resourceVersion,
          );
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
  const mostMs = (options.timeoutSeconds + graceSeconds) * 1000;
  const what = `the watch of ${resourceName(resource)}`;
  let state = first;
  const gathered = new Map<string, T>();
  return attempt(
    followed,
    () => state,
    (startedMs) =>
      withinTime(clock, signal, mostMs, what, async (bounded) => {
        for await (const event of client.watch(resource, options, bounded)) {
          bounded.throwIfAborted(); // another watch may be open already
          followed.onWord();
          const step = transition(state, inputOf(event));
          if (step.action.kind === "adopt") {
            followed.store.replaced([...gathered.values()], step.action.resourceVersion);
            gathered.clear();
            followed.onSync();
          } else if (state.kind === "gathering") gather(followed, gathered, event);
          else keep(followed, event);
          state = step.state;
        }
        return { state, input: { kind: "ended", lastedMs: clock.monotonic() - startedMs, jitter: random() } };
      }),
  );
}

/** A watch that the API server should have ended so long ago is given up: whatever is wrong with it, no watch hangs for ever. */
const graceSeconds = 30;

function inputOf(event: WatchEvent<KubeObject>): WatchInput {
  if (event.type !== "bookmark") return { kind: "event", resourceVersion: event.object.metadata.resourceVersion };
  return { kind: "bookmark", resourceVersion: event.resourceVersion, initialEventsEnd: event.initialEventsEnd };
}

function gather<T extends KubeObject>({ decode }: Followed<T>, gathered: Map<string, T>, event: WatchEvent<KubeObject>): void {
  if (event.type === "bookmark") return;
  const object = event.type === "deleted" ? undefined : decode(event.object);
  if (object === undefined) gathered.delete(keyOf(event.object));
  else gathered.set(keyOf(event.object), object);
}

function keep<T extends KubeObject>({ store, decode }: Followed<T>, event: WatchEvent<KubeObject>): void {
  if (event.type === "bookmark") return store.passed(event.resourceVersion);
  const object = decode(event.object);
  if (event.type === "deleted") store.removed(event.object, object);
  else if (object !== undefined) store.changed(object);
  store.passed(event.object.metadata.resourceVersion); // also when it could not be read
}

/** Turns a throw into an input of the protocol, and says it in the log. `stateNow` is asked after the throw. */
async function attempt<T extends KubeObject>(
  { clock, random, log, resource, onFailure }: Followed<T>,
  stateNow: () => WatchState,
  work: (startedMs: number) => Promise<Performed>,
): Promise<Performed> {
  const startedMs = clock.monotonic();
  try {
    return await work(startedMs);
  } catch (error) {
    const [state, failure, why] = [stateNow(), failureOf(error), errorMessage(error)];
    onFailure(why);
    const failures = state.kind === "pausing" ? 0 : state.failures;
    const level = isForPeople(failure.kind, failures) ? "warn" : "debug";
    log[level]({ resource: resourceName(resource), error: why, failures: failures + 1 }, "the watch was interrupted");
    const input = { kind: "failed", error: failure, lastedMs: clock.monotonic() - startedMs, jitter: random() } as const;
    return { state, input };
  }
}

/** Mostly an interruption passes by itself. What does not is said, less and less often. */
export function isForPeople(kind: ApiErrorKind | "unknown", failures: number): boolean {
  const staysUntilSomebodyActs: readonly string[] = ["forbidden", "unauthorized", "badAnswer", "unknown"];
  const isPowerOfTwo = Number.isInteger(Math.log2(failures + 1));
  return isPowerOfTwo && (failures >= 3 || staysUntilSomebodyActs.includes(kind));
}

function failureOf(error: unknown): WatchFailure {
  if (error instanceof DeadlineError) return { kind: "unavailable" };
  if (!(error instanceof ApiError)) return { kind: "unknown" };
  const { kind, retryAfterSeconds } = error;
  return retryAfterSeconds === undefined ? { kind } : { kind, retryAfterSeconds };
}
