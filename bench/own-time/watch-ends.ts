import { setTimeout as sleep } from "node:timers/promises";
import type { Client, KubeObject, Resource } from "kube-runtime";
import type { Span } from "./uncovered.ts";

/** Tells from one watch when an object was first seen, and when it first was as wanted. Throws what `judge` throws. */
export function watchEnds<T extends KubeObject>(
  client: Client,
  { resource, namespace, judge }: { resource: Resource<T>; namespace: string; judge: (object: T) => boolean },
  signal: AbortSignal,
): (name: string) => Promise<Span> {
  const spans = new Map<string, { from: number; to?: number }>();
  let failure: unknown;
  const follow = async (): Promise<void> => {
    for await (const event of client.watch(resource, { namespace, sendInitialEvents: true }, signal)) {
      if (event.type === "bookmark") continue;
      const { name } = event.object.metadata;
      if (event.type === "added") spans.set(name, { from: performance.now() });
      const span = spans.get(name);
      if (span !== undefined && span.to === undefined && judge(event.object)) span.to = performance.now();
    }
    throw new Error(`the watch of ${resource.plural} has ended`);
  };
  follow().catch((error: unknown) => void (failure = error));
  return async (name) => {
    for (const end = performance.now() + 120_000; performance.now() < end; await sleep(20)) {
      if (failure !== undefined) throw failure;
      const { from, to } = spans.get(name) ?? {};
      if (from !== undefined && to !== undefined) return { from, to };
    }
    throw new Error(`${resource.kind} ${name} has not ended within 120 s`);
  };
}
