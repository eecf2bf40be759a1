import { status } from "@grpc/grpc-js";
import type { Environment } from "@vdb/dct";
import { topologyKey } from "../driver.ts";
import type { Message } from "../grpc/message.ts";
import { RpcError } from "../grpc/rpc-error.ts";

/** The node that holds an environment's data; undefined when the environment has no host. */
export const nodeOf = ({ hosts = [] }: Environment): string | undefined =>
  hosts.find(({ hostname }) => hostname !== "")?.hostname;

/** Where the caller may use the volume: the `requisite` topologies; without any it does not care. */
export function requestedNodes(message: Message): readonly string[] {
  const requisite = message.message("accessibilityRequirements")?.messages("requisite") ?? [];
  return requisite.flatMap((topology) => topology.strings("segments")[topologyKey] ?? []);
}

/** RESOURCE_EXHAUSTED makes the scheduler of a claim that waits for its first pod choose another node (CSI, CreateVolume errors). */
export function assertReachable(environment: Environment, requested: readonly string[]): void {
  const node = nodeOf(environment);
  if (node === undefined)
    throw new RpcError(
      status.FAILED_PRECONDITION,
      `environment ${environment.name} has no host: DCT does not say which node holds its data`,
    );
  if (requested.length === 0 || requested.includes(node)) return;
  const asked = requested.toSorted().join(", ");
  throw new RpcError(status.RESOURCE_EXHAUSTED, `the data is on node ${node}, but the claim asks for ${asked}`);
}
