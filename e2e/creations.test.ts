/** Databases that come up at once with a masking that takes long: no EndpointSlice ever names an address before the hook has ended. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ensureNamespace, items, parseJson, testCluster, text } from "@vdb/cluster";
import { isFullTier } from "kube-runtime/testing";
import { makeOrigin, origins, sourceOf } from "./origins.ts";
import { applyVdb, setPasswordSecret, sqlInPod, waitForPhase } from "./vdb.ts";

const kubectl = await testCluster();
const namespace = "creations";
const count = 20;
/** The moment is read from the server's clock, which is that of this machine. */
const mask =
  "SELECT pg_sleep(2 + random() * 3); CREATE TABLE masked AS SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ended";
const names = Array.from({ length: count }, (_, nth) => `slow-${nth + 1}`);

/** The Service of a watch event, and how many addresses its EndpointSlice names, ready or not. */
function toldBy(line: string): readonly [service: string, addresses: number] {
  const slice = parseJson(line);
  const addresses = items(slice, "endpoints").flatMap((endpoint) => items(endpoint, "addresses"));
  return [text(slice, "metadata", "labels", "kubernetes.io/service-name"), addresses.length];
}

/** When each Service first had an address, by this machine's clock, and how many events there were. */
function watchSlices(): {
  readonly first: Map<string, number>;
  readonly events: () => number;
  readonly end: () => Promise<void>;
} {
  const stop = new AbortController();
  const first = new Map<string, number>();
  let events = 0;
  const args = ["get", "endpointslices", "-n", namespace, "--watch", "-o", String.raw`jsonpath={@}{"\n"}`];
  const onLine = (line: string): void => {
    events += 1;
    const [service, addresses] = toldBy(line);
    if (addresses > 0 && !first.has(service)) first.set(service, Date.now());
  };
  const done = kubectl.try(args, { signal: stop.signal, onLine });
  return {
    first,
    events: () => events,
    end: async () => {
      stop.abort();
      await done.catch(() => undefined);
    },
  };
}

describe(`${count} creations with a slow hook`, { skip: !isFullTier, timeout: 900_000 }, () => {
  before(async () => {
    await ensureNamespace(kubectl, namespace);
    await makeOrigin(kubectl, namespace);
    await setPasswordSecret(kubectl, namespace, "slow-password", { password: "a-password-of-a-test" });
  });
  after(async () => {
    await kubectl.run(["delete", "namespace", namespace, "--timeout=300s"]);
  });

  test("from DCT, from claims and from snapshots: an address comes after the end of the hook", async () => {
    const watched = watchSlices();
    const hooks = [{ name: "mask", stage: "post-create", script: mask }];
    const database = { name: "postgres", user: "postgres", passwordSecretRef: "slow-password" };
    await Promise.all(
      names.map(async (name, nth) => {
        const source = await sourceOf(kubectl, origins[nth % origins.length] ?? "dct-source", namespace);
        await applyVdb(kubectl, { name, namespace, spec: { database, hooks, ...source } });
      }),
    );
    for (const name of names) await waitForPhase(kubectl, { name, namespace }, "Ready", 400);
    await watched.end();
    const marginsMs = await Promise.all(
      names.map(async (name) => {
        const ended = Number(await sqlInPod(kubectl, { name, namespace }, "SELECT ended FROM masked"));
        return { name, ms: (watched.first.get(name) ?? Number.NaN) - ended };
      }),
    );
    equal(watched.first.size, new Set([...names, "origin"]).size, "each got one in the end");
    deepEqual(
      marginsMs.filter(({ ms }) => !(ms >= 0)),
      [],
    );
    ok(watched.events() > count, "the slices were watched from their beginning");
    const sorted = marginsMs.map(({ ms }) => Math.round(ms)).toSorted((a, b) => a - b);
    console.log(`${watched.events()} events; from the hook's end to the address ${sorted[0]} to ${sorted.at(-1)} ms`);
  });
});
