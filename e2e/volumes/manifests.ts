/** Objects that use the driver as any workload does: no operator, no PostgreSQL. */
import { postgresImage } from "@vdb/cluster";

export type Manifest = Readonly<Record<string, unknown>>;

/** What `dataSource` of a claim names. */
export const ofClaim = (name: string): Manifest => ({ kind: "PersistentVolumeClaim", name });
export const ofSnapshot = (name: string): Manifest => ({ apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name });

export interface ClaimOptions {
  readonly namespace: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: Manifest;
  readonly storage?: string;
}

/** Of the dSource that the tests have, unless annotations or a dataSource say otherwise. */
export function claim(name: string, { namespace, spec = {}, storage = "1Gi", ...options }: ClaimOptions): Manifest {
  const { annotations = "dataSource" in spec ? {} : { sourceDBName: "production" } } = options;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace, annotations },
    spec: {
      storageClassName: "de-fs-storage",
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage } },
      ...spec,
    },
  };
}

/** Appends a line to file `ticks` of the volume ten times a second, each flushed to the disk; ends when it cannot. */
export const writes = `i=0; while i=$((i+1)); do echo $i >>/mnt/data/ticks && sync /mnt/data/ticks || exit 1; sleep 0.1; done`;
export const sleeps = "trap 'exit 0' TERM; sleep infinity & wait";

/** Runs a shell script on a claim. */
export const pod = (name: string, namespace: string, claimName: string, script: string): Manifest => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace },
  spec: {
    terminationGracePeriodSeconds: 1,
    restartPolicy: "Never",
    securityContext: { runAsUser: 999, runAsGroup: 999, runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "main",
        image: postgresImage,
        command: ["/bin/sh", "-c", script],
        volumeMounts: [{ name: "data", mountPath: "/mnt" }],
      },
    ],
    volumes: [{ name: "data", persistentVolumeClaim: { claimName } }],
  },
});

export const snapshot = (name: string, namespace: string, persistentVolumeClaimName: string): Manifest => ({
  apiVersion: "snapshot.storage.k8s.io/v1",
  kind: "VolumeSnapshot",
  metadata: { name, namespace },
  spec: { source: { persistentVolumeClaimName } },
});

export const together = (objects: readonly Manifest[]): string => objects.map((one) => JSON.stringify(one)).join("\n---\n");
