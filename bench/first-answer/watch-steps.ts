import { at, items, type Json, type Kubectl, parseJson, text } from "@vdb/cluster";

type Step = { readonly what: string; readonly at: number };

const conditionTrue = (object: Json, type: string): boolean =>
  items(object, "status", "conditions").some((one) => text(one, "type") === type && text(one, "status") === "True");

/** What has happened to an object of that kind, as a watch shows it. */
const stepsOf: Readonly<Record<string, (object: Json) => readonly (string | false)[]>> = {
  postgresvdbs: (vdb) => ["the PostgresVDB is there", conditionTrue(vdb, "Ready") && "the PostgresVDB is Ready"],
  persistentvolumeclaims: (claim) => ["the claim is there", text(claim, "status", "phase") === "Bound" && "the claim is bound"],
  deployments: () => ["the Deployment is there"],
  pods: (pod) => [
    "the pod is there",
    conditionTrue(pod, "PodScheduled") && "the pod is scheduled",
    items(pod, "status", "containerStatuses").some((one) => at(one, "state", "running") !== undefined) && "the container runs",
    conditionTrue(pod, "Ready") && "the pod is Ready",
  ],
};

/** Notes by this machine's clock when each step of the database of that name is first seen, through a watch of each kind. */
export function watchSteps(
  kubectl: Kubectl,
  namespace: string,
  name: string,
): AsyncDisposable & { readonly seen: () => Promise<readonly Step[]> } {
  const stop = new AbortController();
  const first = new Map<string, number>();
  const watches = Object.entries(stepsOf).map(([kind, steps]) => {
    const onLine = (line: string): void => {
      const object = parseJson(line);
      if (!text(object, "metadata", "name").startsWith(name)) return;
      for (const step of steps(object)) if (step !== false && !first.has(step)) first.set(step, Date.now());
    };
    const args = ["get", kind, "-n", namespace, "--watch", "-o", String.raw`jsonpath={@}{"\n"}`];
    return kubectl.try(args, { signal: stop.signal, onLine }).catch(() => undefined);
  });
  const end = async (): Promise<void> => {
    stop.abort();
    await Promise.all(watches);
  };
  return {
    seen: async () => {
      await end();
      return [...first].map(([what, moment]) => ({ what, at: moment })).toSorted((a, b) => a.at - b.at);
    },
    [Symbol.asyncDispose]: end,
  };
}
