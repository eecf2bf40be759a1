import { decode, type PostgresVDB, postgresVDB } from "@vdb/api";

/** A PostgresVDB as the API server gives it, for tests: a minimal manifest with the changes of a row. */
export function aVdb({ spec = {}, status = {} }: { readonly spec?: object; readonly status?: object } = {}): PostgresVDB {
  return decode(postgresVDB, {
    apiVersion: "core.delphix.com/v1alpha1",
    kind: "PostgresVDB",
    metadata: {
      name: "orders",
      namespace: "shop",
      uid: "uid-of-orders",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: {
      source: { type: "dct-source", reference: "delphix-engine:production" },
      database: { passwordSecretRef: "password" },
      ...spec,
    },
    status,
  });
}

type Labels = Readonly<Record<string, string>>;
/** Whether a selector takes an object with these labels. One without a label takes nothing, as that of a Service. */
export function selects(selector: Labels = {}, labels: Labels = {}): boolean {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([name, value]) => labels[name] === value);
}
