import { postgresImage } from "./postgres-image.ts";

/** One PostgresVDB of a test or a measurement: what its manifest says beside the defaults. */
export type VdbOptions = { readonly name: string; readonly namespace: string; readonly spec?: Readonly<Record<string, unknown>> };

/** A small VDB of the production source, asking for little of the node: many tests share two cores. */
export function vdbManifest({ name, namespace, spec = {} }: VdbOptions): string {
  return JSON.stringify({
    apiVersion: "core.delphix.com/v1alpha1",
    kind: "PostgresVDB",
    metadata: { name, namespace },
    spec: {
      source: { type: "dct-source", reference: "delphix-engine:production" },
      vdbGroupName: "Untitled",
      envName: "dev-env",
      image: postgresImage,
      database: { name: "postgres", user: "postgres", passwordSecretRef: `${name}-password` },
      resources: { requests: { cpu: "50m", memory: "128Mi" } },
      ...spec,
    },
  });
}
