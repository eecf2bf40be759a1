import type { JournalEntry } from "../controller/journal.ts";
import type { CustomResourceDefinition } from "../kinds/cluster.ts";
import type { ControlledStatus, KubeObject } from "../objects/object.ts";
import { defineResource } from "../objects/resource.ts";

/** A kind for tests of the runtime itself. */
export interface Widget extends KubeObject {
  readonly spec: { readonly size?: number; readonly color?: string; readonly tags?: readonly string[] };
  readonly status?: ControlledStatus & {
    readonly copies?: number;
    readonly intent?: string;
    readonly steps?: readonly JournalEntry[];
  };
}

export const widgets = defineResource<Widget>({
  group: "testing.kube-runtime.dev",
  version: "v1",
  kind: "Widget",
  plural: "widgets",
  namespaced: true,
});

const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

/** Its definition, for a real API server. */
export const widgetDefinition: Pick<CustomResourceDefinition, "spec"> & { readonly metadata: { readonly name: string } } = {
  metadata: { name: "widgets.testing.kube-runtime.dev" },
  spec: {
    group: widgets.group,
    scope: "Namespaced",
    names: { kind: widgets.kind, plural: widgets.plural },
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
