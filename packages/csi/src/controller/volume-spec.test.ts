import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { sourceReferenceIn, type VolumeSpec, volumeSpecOf } from "./volume-spec.ts";

const defaults = {
  vdbGroupName: "Untitled",
  vdbStageMountpath: "/mnt/postgres",
  ownershipSpec: "999:999",
  engineName: "engine-a",
};
const least: VolumeSpec = {
  engine: "engine-a",
  source: "orders",
  group: "Untitled",
  mountPath: "/mnt/postgres",
  ownership: "999:999",
};

const rows: { name: string; why: string; annotations: Record<string, string>; want: VolumeSpec | RegExp }[] = [
  {
    name: "the least a claim can say",
    why: "everything else has a cluster-wide default",
    annotations: { sourceDBName: "orders" },
    want: least,
  },
  {
    name: "every annotation",
    why: "a claim's own word beats the default",
    annotations: {
      engineName: "engine-b",
      sourceDBName: "crm",
      vdbGroupName: "Team",
      envName: "dev-env",
      vdbRepositoryName: "Empty vFile Repository",
      vdbStageMountpath: "/data",
      ownershipSpec: "70:70",
      "delphix.com/created": "true",
    },
    want: {
      engine: "engine-b",
      source: "crm",
      group: "Team",
      environment: "dev-env",
      repository: "Empty vFile Repository",
      mountPath: "/data",
      ownership: "70:70",
    },
  },
  {
    name: "an empty annotation",
    why: "templates leave them empty for 'not set'",
    annotations: { sourceDBName: "orders", engineName: " " },
    want: least,
  },
  { name: "no source", why: "nothing to clone", annotations: {}, want: /annotation sourceDBName is missing/u },
  {
    name: "a colon in the engine",
    why: "engine:source is split at its first colon",
    annotations: { sourceDBName: "a", engineName: "x:y" },
    want: /colon/u,
  },
  {
    name: "a relative mount path",
    why: "it is a path in a container",
    annotations: { sourceDBName: "a", vdbStageMountpath: "data" },
    want: /not an absolute path/u,
  },
  {
    name: "an owner by name",
    why: "names differ between images",
    annotations: { sourceDBName: "a", ownershipSpec: "postgres:postgres" },
    want: /uid:gid/u,
  },
];

for (const { name, why, annotations, want } of rows)
  test(`volumeSpecOf: ${name}`, () => {
    if (want instanceof RegExp) throws(() => volumeSpecOf(annotations, defaults), want, why);
    else deepEqual(volumeSpecOf(annotations, defaults), want, why);
  });

test("sourceReferenceIn: no judgement of the rest, so that a broken annotation never hides a VDB", () => {
  deepEqual(sourceReferenceIn({ sourceDBName: "orders", ownershipSpec: "nonsense" }, defaults), "engine-a:orders");
  deepEqual(sourceReferenceIn({}, defaults), undefined);
});
