import { type Connection, execInPod, type Manager } from "kube-runtime";
import type { PodExec } from "./vdb/world.ts";

/** Runs commands in pods for the leader alone: a replica that has lost its Lease must not change what its successor has set. */
export function fencedExec(connection: Connection, { assertLeading }: Pick<Manager, "assertLeading">): PodExec {
  return async (request, signal) =>
    await execInPod(connection, { ...request, beforeSend: () => assertLeading(`exec in pod ${request.pod}`) }, signal);
}
