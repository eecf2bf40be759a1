import { at, items, type Json, type Kubectl, parseJson, text } from "@vdb/cluster";
import { type LineProcess, startLineProcess } from "./line-process.ts";
import type { Victim } from "./plan.ts";

/** A pod as it was last seen. */
export type SeenPod = {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  /** It is, or was, being deleted. */
  readonly isLeaving: boolean;
  readonly isReady: boolean;
  /** Of the container that is struck: containerd://…, "" before it is made. */
  readonly containerId: string;
  readonly isRunning: boolean;
  readonly restartCount: number;
};
export type PodWatch = AsyncDisposable & {
  /** Every pod of the victim that has ever been, oldest first. */
  readonly of: (victim: Victim) => readonly SeenPod[];
};

/** Which pods are a victim's, and which of their containers is struck. */
export type Place = { readonly namespace: string; readonly label: readonly [string, string]; readonly container: string };

/** Follows the pods of the places: with a list, one that came and went between two looks would be missed. */
export function watchPods(kubectl: Kubectl, places: ReadonlyMap<Victim, Place>): PodWatch {
  const seen = new Map<Victim, Map<string, SeenPod>>([...places.keys()].map((victim) => [victim, new Map()]));
  const note = (event: Json): void => {
    const pod = at(event, "object");
    for (const [victim, place] of places)
      if (belongs(pod, place))
        seen.get(victim)?.set(text(pod, "metadata", "uid"), read(pod, text(event, "type") === "DELETED", place));
  };
  const namespaces = new Set([...places.values()].map(({ namespace }) => namespace));
  const watches = [...namespaces].map((namespace) => watch(kubectl, namespace, note));
  return {
    of: (victim) => [...(seen.get(victim)?.values() ?? [])],
    [Symbol.asyncDispose]: async () => {
      for (const one of watches) await one[Symbol.asyncDispose]();
    },
  };
}

/** With --output-watch-events each event is one line. */
function watch(kubectl: Kubectl, namespace: string, note: (event: Json) => void): LineProcess {
  const { args, env } = kubectl.bound;
  const command = [...args, "get", "pods", "-n", namespace, "--watch", "--output-watch-events", "-o", "json"];
  return startLineProcess("kubectl", command, (line) => note(parseJson(line)), env);
}

function belongs(pod: Json | undefined, { namespace, label: [key, value] }: Place): boolean {
  return text(pod, "metadata", "namespace") === namespace && text(pod, "metadata", "labels", key) === value;
}

function read(pod: Json | undefined, isGone: boolean, { container }: Place): SeenPod {
  const containers = [...items(pod, "status", "containerStatuses"), ...items(pod, "status", "initContainerStatuses")];
  const status = containers.find((one) => text(one, "name") === container);
  const ready = items(pod, "status", "conditions").find((one) => text(one, "type") === "Ready");
  return {
    uid: text(pod, "metadata", "uid"),
    name: text(pod, "metadata", "name"),
    namespace: text(pod, "metadata", "namespace"),
    isLeaving: isGone || text(pod, "metadata", "deletionTimestamp") !== "",
    isReady: text(ready, "status") === "True",
    containerId: text(status, "containerID"),
    isRunning: text(status, "state", "running") !== "",
    restartCount: Number(text(status, "restartCount") || "0"),
  };
}
