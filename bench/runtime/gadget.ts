import { type ControlledStatus, type CustomResourceDefinition, defineResource, type KubeObject } from "kube-runtime";

/** A small kind with a status, for what is measured on a controller. */
export interface Gadget extends KubeObject {
  readonly spec: { readonly size: number };
  readonly status?: ControlledStatus;
}

export const gadgets = defineResource<Gadget>({
  group: "bench.kube-runtime.dev",
  version: "v1",
  kind: "Gadget",
  plural: "gadgets",
  namespaced: true,
});

const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

export const gadgetDefinition: Pick<CustomResourceDefinition, "spec"> & { readonly metadata: { readonly name: string } } = {
  metadata: { name: "gadgets.bench.kube-runtime.dev" },
  spec: {
    group: gadgets.group,
    scope: "Namespaced",
    names: { kind: gadgets.kind, plural: gadgets.plural },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: "object", properties: { spec: anything, status: anything } } },
      },
    ],
  },
};

/** Carried by a measured write: when it was sent, in milliseconds of CLOCK_MONOTONIC, which all processes of a machine share. */
export const sentAt = "bench.kube-runtime.dev/sent-at";
