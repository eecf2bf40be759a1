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
 *
 * `unopened`: it has never led anywhere, and has no selector. Kubernetes makes no EndpointSlice for it then, which kube-proxy would
 * answer with a pause of a second (its minSyncPeriod) in just the moment in which the gate opens. Later a selector is never left out:
 * the EndpointSlices would stay as they are.
 */
export function desiredService(vdb: PostgresVDB, contentId: string, gate: Gate | "unopened", mode?: PodMode): Manifest<Service> {
  const { name, namespace } = vdb.metadata;
  const { type = "ClusterIP", annotations } = vdb.spec.podTemplate?.service ?? {};
  const selected = gate === "open" ? { [contentLabel]: contentId, ...modeLabels(mode) } : { [contentLabel]: nobody };
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
      ...(gate === "unopened" ? {} : { selector: { [instanceLabel]: safeLabelValue(name), ...selected } }),
      ports: [{ name: "postgres", port: vdb.spec.port, targetPort: vdb.spec.port, protocol: "TCP" }],
    },
  };
}

/** Whether it selects no pod. */
export const leadsNowhere = (service: Service): boolean =>
  selectsNothing(service) || service.spec.selector?.[contentLabel] === nobody;
export const selectsNothing = ({ spec: { selector = {} } }: Service): boolean => Object.keys(selector).length === 0;

export const endpointOf = ({ metadata: { name, namespace }, spec: { port } }: PostgresVDB): string =>
  `${name}.${namespace}.svc:${port}`;
