import { createHash } from "node:crypto";
import { isApiError } from "../client/api-error.ts";
import type { Client } from "../client/client.ts";
import { type Event, events, type ObjectReference } from "../kinds/cluster.ts";
import { type KubeObject, keyOf, type Manifest } from "../objects/object.ts";
import { type Clock, microTime } from "../support/clock.ts";
import { errorMessage } from "../support/error-message.ts";
import type { Log } from "../support/log.ts";
import { createTokenBucket, type TokenBucket } from "../support/token-bucket.ts";

export interface RecordedEvent {
  readonly type: "Normal" | "Warning";
  /** The CamelCase word that the condition has too. */
  readonly reason: string;
  readonly message: string;
  /** What was being done; the reason unless told. */
  readonly action?: string;
  /** Another object that this is about, too. */
  readonly related?: ObjectReference;
}

/**
 * Tells people through `kubectl describe` what happened. Never fails and never waits: an event that cannot be written is
 * logged and lost. The same event again within ten minutes is counted in the first one's series; of one object at most 25
 * at once and then one every five minutes get through, as with Kubernetes' own recorder.
 */
export interface EventRecorder {
  readonly record: (regarding: KubeObject, event: RecordedEvent) => void;
  /** Waits for what is being written. */
  readonly flush: () => Promise<void>;
}

export interface RecorderParts {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly controller: string;
  readonly instance: string;
  readonly signal: AbortSignal;
}

const seriesMs = 10 * 60_000;
const mostRemembered = 4096;

interface Series {
  readonly name: string;
  readonly namespace: string;
  count: number;
  until: number;
  /** The write before: writes of one series follow each other. */
  last: Promise<void>;
}

export function createEventRecorder(parts: RecorderParts): EventRecorder {
  const { clock, log } = parts;
  const series = new Map<string, Series>();
  const limits = new Map<string, TokenBucket>();
  const pending = new Set<Promise<void>>();
  const mayWrite = (uid: string): boolean => {
    const limit = limits.get(uid) ?? createTokenBucket(1 / 300, 25, clock);
    limits.delete(uid); // to the end: the one that was not used for longest is forgotten first
    limits.set(uid, limit);
    forgetOldest(limits);
    return limit.tryTake();
  };
  const record = (regarding: KubeObject, event: RecordedEvent): void => {
    const id = JSON.stringify([regarding.metadata.uid, event.type, event.reason, event.message]);
    const now = clock.monotonic();
    const known = series.get(id);
    if (!mayWrite(regarding.metadata.uid)) return;
    const current = known !== undefined && known.until > now ? known : newSeries(regarding, id, clock);
    current.count += 1;
    current.until = now + seriesMs;
    series.delete(id); // to the end: the oldest are forgotten first
    series.set(id, current);
    forgetOldest(series);
    const count = current.count;
    const write = current.last.then(() =>
      count === 1 ? create(parts, current, regarding, event) : repeat(parts, current, count, regarding, event),
    );
    const settled = write.catch((error: unknown) => {
      log.debug({ object: keyOf(regarding), reason: event.reason, error: errorMessage(error) }, "an event was lost");
      if (count === 1 && series.get(id) === current) series.delete(id); // there is nothing to count on: the next is a first
    });
    current.last = settled;
    pending.add(settled);
    void settled.finally(() => pending.delete(settled));
  };
  return {
    record,
    flush: async () => {
      await Promise.all(pending);
    },
  };
}

function forgetOldest(map: Map<string, unknown>): void {
  if (map.size <= mostRemembered) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}

function newSeries(regarding: KubeObject, id: string, clock: Clock): Series {
  const { name, namespace } = regarding.metadata;
  const suffix = createHash("sha256").update(`${id}${clock.now()}`).digest("hex").slice(0, 16);
  return {
    name: `${name.slice(0, 200).replace(/[.-]+$/u, "")}.${suffix}`,
    namespace: namespace ?? "default",
    count: 0,
    until: 0,
    last: Promise.resolve(),
  };
}

async function create(
  parts: RecorderParts,
  { name, namespace }: Series,
  regarding: KubeObject,
  event: RecordedEvent,
  series?: Event["series"],
): Promise<void> {
  const { metadata, apiVersion, kind } = regarding;
  const object: Manifest<Event> = {
    metadata: { name, namespace },
    eventTime: microTime(parts.clock.now()),
    type: event.type,
    reason: cut(event.reason, 128),
    action: cut(event.action ?? event.reason, 128),
    note: cut(event.message, 1024),
    ...(series === undefined ? {} : { series }),
    regarding: {
      apiVersion,
      kind,
      name: metadata.name,
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    },
    ...(event.related === undefined ? {} : { related: event.related }),
    reportingController: parts.controller,
    reportingInstance: cut(parts.instance, 128),
  };
  await parts.client.create(events, object, parts.signal);
}

async function repeat(
  parts: RecorderParts,
  current: Series,
  count: number,
  regarding: KubeObject,
  event: RecordedEvent,
): Promise<void> {
  const series = { count, lastObservedTime: microTime(parts.clock.now()) };
  const { namespace, name } = current;
  try {
    await parts.client.patch(events, { namespace, name }, { series }, parts.signal);
  } catch (error) {
    if (!isApiError(error, "notFound")) throw error;
    await create(parts, current, regarding, event, series); // the API server forgets events after an hour
  }
}

/** The API server counts bytes, and refuses an event that has too many. A character is not cut in two. */
function cut(text: string, bytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes));
  return text.slice(0, read);
}
