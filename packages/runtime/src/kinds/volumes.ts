import type { KubeObject } from "../objects/object.ts";
import { defineResource } from "../objects/resource.ts";
import type { StatusCondition } from "./pod.ts";

export interface Volume {
  readonly name: string;
  readonly persistentVolumeClaim?: { readonly claimName: string; readonly readOnly?: boolean };
  readonly configMap?: {
    readonly name: string;
    readonly defaultMode?: number;
    readonly items?: readonly KeyToPath[];
    readonly optional?: boolean;
  };
  readonly secret?: {
    readonly secretName: string;
    readonly defaultMode?: number;
    readonly items?: readonly KeyToPath[];
    readonly optional?: boolean;
  };
  readonly emptyDir?: { readonly medium?: "" | "Memory"; readonly sizeLimit?: string };
  readonly hostPath?: { readonly path: string; readonly type?: string };
  readonly projected?: object;
  readonly downwardAPI?: object;
}

export interface KeyToPath {
  readonly key: string;
  readonly path: string;
  readonly mode?: number;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
  readonly mountPropagation?: "None" | "HostToContainer" | "Bidirectional";
}

/** Quantities as the API server stores them: `500m`, `2Gi`; numbers are accepted on the way in. */
export type ResourceList = Readonly<Record<string, string | number>>;

export interface ResourceRequirements {
  readonly requests?: ResourceList;
  readonly limits?: ResourceList;
}

export type AccessMode = "ReadWriteOnce" | "ReadOnlyMany" | "ReadWriteMany" | "ReadWriteOncePod";

export interface PersistentVolumeClaim extends KubeObject {
  readonly spec: {
    readonly accessModes?: readonly AccessMode[];
    readonly resources?: ResourceRequirements;
    readonly storageClassName?: string;
    readonly volumeMode?: "Filesystem" | "Block";
    readonly volumeName?: string;
    readonly selector?: object;
    readonly dataSource?: ObjectReferenceInNamespace;
    readonly dataSourceRef?: ObjectReferenceInNamespace & { readonly namespace?: string };
  };
  readonly status?: {
    readonly phase?: "Pending" | "Bound" | "Lost";
    readonly capacity?: ResourceList;
    readonly accessModes?: readonly AccessMode[];
    readonly conditions?: readonly StatusCondition[];
  };
}

export interface ObjectReferenceInNamespace {
  /** Absent for the core group. */
  readonly apiGroup?: string;
  readonly kind: string;
  readonly name: string;
}

export interface PersistentVolume extends KubeObject {
  readonly spec: {
    readonly capacity?: ResourceList;
    readonly accessModes?: readonly AccessMode[];
    readonly persistentVolumeReclaimPolicy?: "Delete" | "Retain" | "Recycle";
    readonly storageClassName?: string;
    readonly volumeMode?: "Filesystem" | "Block";
    readonly claimRef?: { readonly namespace?: string; readonly name?: string; readonly uid?: string };
    readonly csi?: {
      readonly driver: string;
      readonly volumeHandle: string;
      readonly fsType?: string;
      readonly readOnly?: boolean;
      readonly volumeAttributes?: Readonly<Record<string, string>>;
    };
    readonly nodeAffinity?: object;
  };
  readonly status?: {
    readonly phase?: "Pending" | "Available" | "Bound" | "Released" | "Failed";
    readonly reason?: string;
    readonly message?: string;
  };
}

export const persistentVolumeClaims = defineResource<PersistentVolumeClaim>({
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  plural: "persistentvolumeclaims",
  namespaced: true,
});

export const persistentVolumes = defineResource<PersistentVolume>({
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  namespaced: false,
});
