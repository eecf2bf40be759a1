import { setImmediate as turn } from "node:timers/promises";
import { parseLabelSelector } from "../cache/selector.ts";
import type { Api, ApiCall } from "../client/api.ts";
import { ApiError } from "../client/api-error.ts";
import { apiVersionOf } from "../objects/resource.ts";
import { type Change, collectionOf, createMemoryStore, failed, type MemoryStore, type Stored } from "./memory-store.ts";

/**
 * A small API server in memory, for tests of reconcilers: get, list, watch, create, update, merge patch, status, delete with
 * finalizers and preconditions, conflicts, selectors by label and by name. Held to the real one by the same conformance tests.
 *
 * It has no schemas, no defaults, no admission, no garbage collection and no server-side apply: use `startApiServer` for those.
 */
export interface MemoryApi extends Api {
  /** Ends every open watch, as a lost connection does. */
  readonly breakWatches: () => void;
  /** Forgets the history: watches from an earlier version get 410. */
  readonly compact: () => void;
  /** Sends a bookmark to every open watch. */
  readonly bookmark: () => void;
}

export interface MemoryApiOptions {
  /** Timestamps; the machine's time unless given. */
  readonly now?: () => number;
  /** Answer watches that begin with all objects, as API servers since 1.34 do; true. */
  readonly streamsLists?: boolean;
  /**
   * Answers and frames of watches come in turns of their own of the event loop, as from a network: answer first, and timers in
   * between; true. Without it, everything happens in one turn: for tests that decide the order themselves.
   */
  readonly takesTurns?: boolean;
}

export function memoryApi(options: MemoryApiOptions = {}): MemoryApi {
  const nowMs = options.now ?? Date.now;
  const history: Change[] = [];
  const watchers = new Set<Watcher>();
  const state = { compacted: 0 };
  const store = createMemoryStore(
    () => new Date(nowMs()).toISOString().replace(/\.\d+Z$/u, "Z"),
    (change) => {
      history.push(change);
      for (const watcher of watchers) later(() => watcher.push(change));
    },
  );
  const takesTurns = options.takesTurns ?? true;
  const later = (work: () => void): void => {
    if (takesTurns) setImmediate(work);
    else work();
  };
  const pass = async (signal: AbortSignal): Promise<void> => {
    if (takesTurns) await turn();
    else await Promise.resolve();
    signal.throwIfAborted();
  };
  return {
    call: async (call, signal) => {
      await pass(signal);
      call.beforeSend?.();
      return copy(answer(store, call.body === undefined ? call : { ...call, body: copy(call.body) }));
    },
    watch: async (call, signal) => {
      await pass(signal);
      call.beforeSend?.();
      const from = Number(call.query["resourceVersion"] ?? "0");
      const streams = call.query["sendInitialEvents"] === "true";
      if (streams && options.streamsLists === false)
        throw failed(call, { kind: "invalid", causes: [] }, "sendInitialEvents is forbidden", 422);
      const watcher = createWatcher(call, signal, () => watchers.delete(watcher));
      if (streams || from === 0) {
        for (const object of selected(store, call))
          watcher.push({ type: "ADDED", collection: collectionOf(call), version: 0, object, before: undefined });
        if (streams) watcher.bookmark(store.version(), true);
      } else if (from < state.compacted) {
        watcher.fail(failed(call, { kind: "gone" }, "too old resource version", 410));
      } else {
        for (const change of history) if (change.version > from) watcher.push(change);
      }
      watchers.add(watcher);
      return watcher.frames();
    },
    breakWatches: () => {
      for (const watcher of watchers) watcher.fail(new ApiError({ kind: "unavailable" }, "the connection was cut"));
    },
    compact: () => {
      state.compacted = store.version();
      history.length = 0;
    },
    bookmark: () => {
      for (const watcher of watchers) watcher.bookmark(store.version(), false);
    },
  };
}

/** Nobody gets the stored object itself, nor keeps a hand on what was sent. */
const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;

function answer(store: MemoryStore, call: ApiCall): unknown {
  switch (call.verb) {
    case "get":
      return shown(store.read(call), call);
    case "list":
      return {
        metadata: { resourceVersion: String(store.version()) },
        items: selected(store, call).map((object) => shown(object, call)),
      };
    case "create":
      return store.create(call);
    case "update":
      return store.update(call);
    case "patch":
      if (call.contentType === "application/merge-patch+json") return store.mergePatch(call);
      throw failed(call, { kind: "notAllowed" }, "server-side apply is not in memory: use startApiServer", 415);
    case "delete":
      return store.remove(call) ?? { kind: "Status", status: "Success" };
    case "watch":
      throw new TypeError("a watch is opened with watch()");
    default:
      return call.verb satisfies never;
  }
}

const selected = (store: MemoryStore, call: ApiCall): readonly Stored[] =>
  store.all(collectionOf(call)).filter((object) => matches(call, object));

function matches({ namespace, query }: ApiCall, { metadata }: Stored): boolean {
  if (namespace !== undefined && metadata.namespace !== namespace) return false;
  const { labelSelector, fieldSelector } = query;
  if (labelSelector !== undefined && !parseLabelSelector(labelSelector)({ ...metadata, creationTimestamp: "" })) return false;
  if (fieldSelector === undefined) return true;
  const [field, value] = fieldSelector.split("=");
  if (field !== "metadata.name")
    throw new TypeError(`the API server in memory selects by metadata.name only, not by "${fieldSelector}"`);
  return metadata.name === value;
}

const shown = (object: Stored, { metadataOnly }: ApiCall): unknown =>
  metadataOnly === true ? { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata } : object;

interface Watcher {
  readonly push: (change: Change) => void;
  readonly bookmark: (version: number, initialEventsEnd: boolean) => void;
  readonly fail: (error: unknown) => void;
  readonly frames: () => AsyncIterable<unknown>;
}

function createWatcher(call: ApiCall, signal: AbortSignal, onEnd: () => void): Watcher {
  const waiting: unknown[] = [];
  const state = { error: undefined as unknown, over: false, wake: Promise.withResolvers<void>() };
  const wake = (): void => {
    state.wake.resolve();
    state.wake = Promise.withResolvers<void>();
  };
  const send = (type: string, object: unknown): void => {
    waiting.push(copy({ type, object }));
    wake();
  };
  const fail = (error: unknown): void => {
    state.over = true;
    state.error = error;
    onEnd();
    wake();
  };
  signal.addEventListener("abort", () => fail(signal.reason), { once: true });
  const frames = async function* (): AsyncGenerator {
    try {
      for (;;) {
        if (waiting.length > 0) yield waiting.shift();
        else if (state.over) throw state.error;
        else await state.wake.promise;
      }
    } finally {
      onEnd();
    }
  };
  return {
    frames,
    fail,
    push: ({ type, collection, object, before }) => {
      if (collection !== collectionOf(call)) return;
      const is = type !== "DELETED" && matches(call, object);
      const was = before !== undefined && matches(call, before);
      if (is) send(was ? "MODIFIED" : "ADDED", shown(object, call));
      else if (was) send("DELETED", shown(object, call));
    },
    bookmark: (version, initialEventsEnd) => {
      const annotations = initialEventsEnd ? { annotations: { "k8s.io/initial-events-end": "true" } } : {};
      const { resource } = call;
      send("BOOKMARK", {
        apiVersion: apiVersionOf(resource),
        kind: resource.kind,
        metadata: { resourceVersion: String(version), ...annotations },
      });
    },
  };
}
