import type { Kubectl } from "@vdb/cluster";

type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** Pure: the samples of one metric in the text that a `/metrics` answers. */
export function samplesOf(metric: string, answer: string): readonly Sample[] {
  return answer
    .split("\n")
    .filter((line) => line.startsWith(`${metric}{`))
    .map((line) => ({
      labels: Object.fromEntries([...line.matchAll(/(\w+)="([^"]*)"/gu)].map(([, name = "", value = ""]) => [name, value])),
      value: Number(line.slice(line.lastIndexOf(" ") + 1)),
    }));
}

const requests = async (kubectl: Kubectl): Promise<readonly Sample[]> =>
  samplesOf("apiserver_request_total", await kubectl.run(["get", "--raw", "/metrics"]));

/** Writes that the API server has served so far, by `resource` or `resource/subresource`; Events, Leases and reviews are no writes of objects. */
export async function writesBy(kubectl: Kubectl): Promise<ReadonlyMap<string, number>> {
  const writes = new Map<string, number>();
  for (const { labels, value } of await requests(kubectl)) {
    const { verb = "", resource = "", subresource = "" } = labels;
    if (!["APPLY", "DELETE", "PATCH", "POST", "PUT"].includes(verb)) continue;
    if (["", "events", "leases"].includes(resource) || resource.endsWith("reviews")) continue;
    if (["exec", "token", "portforward", "attach"].includes(subresource)) continue; // they change no object
    const what = subresource === "" ? resource : `${resource}/${subresource}`;
    writes.set(what, (writes.get(what) ?? 0) + value);
  }
  return writes;
}

/** Requests that the API server has refused because there were too many at once. */
export const refusedRequests = async (kubectl: Kubectl): Promise<number> =>
  (await requests(kubectl)).filter(({ labels }) => labels["code"] === "429").reduce((all, { value }) => all + value, 0);
