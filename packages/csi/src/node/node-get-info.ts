import { topologyOf } from "../driver.ts";
import type { Handler } from "../grpc/handler.ts";

/** The kubelet writes the topology as a label of its node, and the scheduler sends pods by it. */
export const nodeGetInfo =
  (nodeId: string): Handler =>
  () => ({ nodeId, accessibleTopology: topologyOf(nodeId) });
