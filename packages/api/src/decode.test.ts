import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { decode, InvalidObjectError, postgresVDB, vdbRefresh } from "./index.ts";

const metadata = {
  name: "orders",
  namespace: "pg-operator",
  uid: "5a1a…",
  resourceVersion: "7",
  generation: 1,
  creationTimestamp: "2026-01-31T12:00:00Z",
};
const aVdb = (spec: object = {}, more: object = {}): object => ({
  apiVersion: "core.delphix.com/v1alpha1",
  kind: "PostgresVDB",
  metadata,
  spec: { source: { type: "pvc-adopt", reference: "orders-data" }, database: { passwordSecretRef: "my-db-password" }, ...spec },
  ...more,
});

test("decode: defaults are filled in, so that an older CRD does not make holes in the type", () => {
  const { spec, status } = decode(postgresVDB, aVdb());
  deepEqual(
    [spec.port, spec.mode, spec.enabled, spec.database.name, spec.accessModes],
    [5432, "Primary", true, "postgres", ["ReadWriteOnce"]],
  );
  deepEqual(status, { observedGeneration: -1, phase: "Pending" });
});

test("decode: what is given stays, also what is not declared", () => {
  const { spec } = decode(
    postgresVDB,
    aVdb({ port: 5493, resources: { limits: { cpu: 2, memory: "1Gi" } }, newer: { field: 1 } }),
  );
  equal(spec.port, 5493);
  deepEqual(spec.resources, { limits: { cpu: 2, memory: "1Gi" } });
  deepEqual("newer" in spec && spec.newer, { field: 1 });
});

const refused: { name: string; value: unknown; path: string }[] = [
  { name: "not an object", value: "orders", path: "PostgresVDB" },
  { name: "another kind", value: { ...aVdb(), kind: "Task" }, path: "PostgresVDB" },
  { name: "no uid", value: { ...aVdb(), metadata: { ...metadata, uid: undefined } }, path: "PostgresVDB.metadata.uid" },
  { name: "a missing required field", value: aVdb({ source: { type: "pvc-adopt" } }), path: "PostgresVDB.spec.source.reference" },
  { name: "a wrong type", value: aVdb({ port: "5432" }), path: "PostgresVDB.spec.port" },
  { name: "a word that is not in the enum", value: aVdb({ mode: "Replica" }), path: "PostgresVDB.spec.mode" },
  {
    name: "a wrong type inside a list",
    value: aVdb({ postgresConfig: [{ name: "a", value: 1 }] }),
    path: "PostgresVDB.spec.postgresConfig[0].value",
  },
  {
    name: "a wrong type inside a map",
    value: aVdb({ resources: { limits: { cpu: true } } }),
    path: "PostgresVDB.spec.resources.limits.cpu",
  },
];
for (const { name, value, path } of refused) {
  test(`decode: refuses ${name}, naming the field`, () => {
    throws(
      () => decode(postgresVDB, value),
      (error) => error instanceof InvalidObjectError && error.path === path,
    );
  });
}

test("decode: one kind's object is not another's", () => {
  throws(
    () => decode(vdbRefresh, aVdb()),
    /is core\.delphix\.com\/v1alpha1 PostgresVDB, not actions\.delphix\.com\/v1alpha1 VDBRefresh/u,
  );
});
