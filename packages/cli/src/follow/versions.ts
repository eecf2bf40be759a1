import { type Clock, isApiError, type KubeObject, type ObjectKey, type Resource } from "kube-runtime";
import { MissingRight } from "../cluster/missing-right.ts";
import type { Session } from "../cluster/session.ts";

/** How long an API server that does not answer is waited for. */
const patienceMs = 60_000;
const pauseMs = 1000;

/**
 * One object as it changes, from now on: each version that a watch brings, `undefined` and the end once it is gone. An API
 * server that restarts is waited for; a user who may get but not watch sees a version each second.
 */
export async function* versionsOf<T extends KubeObject>(
  { client }: Pick<Session, "client">,
  resource: Resource<T>,
  { namespace, name }: Required<ObjectKey>,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<T | undefined> {
  let answered = clock.monotonic();
  for (;;) {
    try {
      const object = await client.find(resource, { namespace, name }, signal);
      answered = clock.monotonic();
      yield object;
      if (object === undefined) return;
      const { resourceVersion } = object.metadata;
      const selection = { namespace, fieldSelector: `metadata.name=${name}`, resourceVersion };
      for await (const event of client.watch(resource, selection, signal)) {
        answered = clock.monotonic();
        if (event.type === "bookmark") continue;
        yield event.type === "deleted" ? undefined : event.object;
        if (event.type === "deleted") return;
      }
    } catch (error) {
      if (!mayPass(error) || clock.monotonic() - answered > patienceMs) throw error;
    }
    await clock.sleep(pauseMs, signal);
  }
}

/** An outage, a watch that was too old, or a watch that the user may not open although they may get. */
const mayPass = (error: unknown): boolean =>
  isApiError(error, "unavailable", "timeout", "gone", "tooManyRequests") ||
  (error instanceof MissingRight && error.verb === "watch");
