import type { KubeObject } from "../objects/object.ts";
import { defineResource } from "../objects/resource.ts";
import type { StatusCondition } from "./pod.ts";

export interface Service extends KubeObject {
  readonly spec: {
    readonly type?: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
    readonly clusterIP?: string;
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly ServicePort[];
    readonly publishNotReadyAddresses?: boolean;
    readonly sessionAffinity?: "None" | "ClientIP";
    readonly ipFamilyPolicy?: string;
    readonly internalTrafficPolicy?: "Cluster" | "Local";
  };
  readonly status?: { readonly conditions?: readonly StatusCondition[]; readonly loadBalancer?: object };
}

export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number | string;
  readonly protocol?: "TCP" | "UDP" | "SCTP";
  readonly nodePort?: number;
  readonly appProtocol?: string;
}

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

export interface Secret extends KubeObject {
  readonly type?: string;
  /** Values in base64: `secretText` reads one. */
  readonly data?: Readonly<Record<string, string>>;
  /** Only on the way in. */
  readonly stringData?: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

export interface Namespace extends KubeObject {
  readonly spec?: { readonly finalizers?: readonly string[] };
  readonly status?: { readonly phase?: "Active" | "Terminating" };
}

export interface Node extends KubeObject {
  readonly spec?: { readonly unschedulable?: boolean; readonly taints?: readonly object[] };
  readonly status?: { readonly conditions?: readonly StatusCondition[] };
}

export interface ServiceAccount extends KubeObject {
  readonly automountServiceAccountToken?: boolean;
}

const core = { group: "", version: "v1" } as const;
export const services = defineResource<Service>({ ...core, kind: "Service", plural: "services", namespaced: true });
export const configMaps = defineResource<ConfigMap>({ ...core, kind: "ConfigMap", plural: "configmaps", namespaced: true });
export const secrets = defineResource<Secret>({ ...core, kind: "Secret", plural: "secrets", namespaced: true });
export const namespaces = defineResource<Namespace>({ ...core, kind: "Namespace", plural: "namespaces", namespaced: false });
export const nodes = defineResource<Node>({ ...core, kind: "Node", plural: "nodes", namespaced: false });
export const serviceAccounts = defineResource<ServiceAccount>({
  ...core,
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  namespaced: true,
});

/** The value of one key as text; undefined when the Secret has no such key. */
export function secretText(secret: Secret, key: string): string | undefined {
  const value = secret.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, "base64").toString("utf8");
}
