import { type PostgresVDB, safeLabelValue } from "@vdb/api";
import type { Manifest, Service } from "kube-runtime";
import type { PodMode } from "../decide/decide-mode.ts";
import { childLabels, contentLabel, instanceLabel, ownerOf } from "../names.ts";
import type { Gate } from "./config-map.ts";
import { modeLabels } from "./deployment.ts";

/** No pod has this content: a Service that selects it leads nowhere, by EndpointSlices as by port-forward. */
const nobody = "none";

/**
 * The Service by which clients reach the database, named as it is. While the gate is shut it selects no pod. That of a Standby
 * selects no other pod: one that may be written to still ends when its successor is wanted.
 */
export function desiredService(vdb: PostgresVDB, contentId: string, gate: Gate, mode?: PodMode): Manifest<Service> {
  const { name, namespace } = vdb.metadata;
  const { type = "ClusterIP", annotations } = vdb.spec.podTemplate?.service ?? {};
  return {
    metadata: {
      name,
      namespace,
      labels: childLabels(vdb),
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: ownerOf(vdb),
    },
    spec: {
      type,
      selector: {
        [instanceLabel]: safeLabelValue(name),
        [contentLabel]: gate === "open" ? contentId : nobody,
        ...(gate === "open" ? modeLabels(mode) : {}),
      },
      ports: [{ name: "postgres", port: vdb.spec.port, targetPort: vdb.spec.port, protocol: "TCP" }],
    },
  };
}

/** Whether it selects no pod. */
export const leadsNowhere = ({ spec: { selector = {} } }: Service): boolean => selector[contentLabel] === nobody;

export const endpointOf = ({ metadata: { name, namespace }, spec: { port } }: PostgresVDB): string =>
  `${name}.${namespace}.svc:${port}`;
