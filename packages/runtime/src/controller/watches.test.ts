import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { Cache, CacheEvent } from "../cache/cache.ts";
import { type ConfigMap, configMaps } from "../kinds/core.ts";
import { type ObjectKey } from "../objects/object.ts";
import { mapped, owned, type Trigger } from "./watches.ts";

const cluster = { group: "a.dev", kind: "Pool", namespaced: false };
const inNamespace = { group: "a.dev", kind: "Pool", namespaced: true };

const child = (apiVersion: string, kind: string, data?: Record<string, string>): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: {
    namespace: "n",
    name: "m",
    uid: "u",
    resourceVersion: "1",
    creationTimestamp: "",
    ownerReferences: [{ apiVersion, kind, name: "o", uid: "o", controller: true }],
  },
  ...(data === undefined ? {} : { data }),
});

/** Whom these events wake, in order. */
function woken(
  make: (cache: Cache<ConfigMap>) => Trigger,
  events: readonly CacheEvent<ConfigMap>[],
): readonly (readonly [ObjectKey, string])[] {
  const keys: (readonly [ObjectKey, string])[] = [];
  const cache: Cache<ConfigMap> = {
    resource: configMaps,
    get: () => undefined,
    list: () => [],
    byIndex: () => [],
    ownedBy: () => [],
    synced: () => true,
    waitForSync: async () => undefined,
    subscribe: (listener) => {
      for (const event of events) listener(event);
      return () => undefined;
    },
  };
  make(cache).start((key, priority) => keys.push([key, priority]));
  return keys;
}

const rows: readonly { name: string; owner: Parameters<typeof owned>[1]; object: ConfigMap; want: readonly ObjectKey[] }[] = [
  {
    name: "an owner in the same namespace",
    owner: inNamespace,
    object: child("a.dev/v1", "Pool"),
    want: [{ namespace: "n", name: "o" }],
  },
  { name: "an owner of no namespace", owner: cluster, object: child("a.dev/v1", "Pool"), want: [{ name: "o" }] },
  { name: "a namesake of another group", owner: inNamespace, object: child("b.dev/v1", "Pool"), want: [] },
  {
    name: "another version of the kind",
    owner: inNamespace,
    object: child("a.dev/v2", "Pool"),
    want: [{ namespace: "n", name: "o" }],
  },
  {
    name: "a kind of the core group",
    owner: { group: "", kind: "Pod", namespaced: true },
    object: child("v1", "Pod"),
    want: [{ namespace: "n", name: "o" }],
  },
  { name: "by the kind's name alone", owner: "Pool", object: child("b.dev/v1", "Pool"), want: [{ namespace: "n", name: "o" }] },
];
for (const { name, owner, object, want } of rows) {
  test(`owned wakes: ${name}`, () =>
    deepEqual(
      woken((cache) => owned(cache, owner), [{ type: "deleted", object, origin: undefined }]).map(([key]) => key),
      want,
    ));
}

const names = ({ data = {} }: ConfigMap): readonly ObjectKey[] => Object.keys(data).map((name) => ({ namespace: "n", name }));

test("mapped wakes whom the object named before and whom it names now; what was there at the start goes behind", () => {
  const [one, two] = [child("v1", "Pod", { a: "" }), child("v1", "Pod", { b: "" })];
  deepEqual(
    woken(
      (cache) => mapped(cache, names),
      [
        { type: "added", object: one, initial: true, origin: undefined },
        { type: "updated", before: one, object: two, origin: undefined },
        { type: "deleted", object: two, origin: "somebody" },
      ],
    ),
    [
      [{ namespace: "n", name: "a" }, "resync"],
      [{ namespace: "n", name: "b" }, "fresh"],
      [{ namespace: "n", name: "a" }, "fresh"],
      [{ namespace: "n", name: "b" }, "fresh"],
    ],
  );
});
