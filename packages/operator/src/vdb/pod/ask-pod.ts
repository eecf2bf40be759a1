import { type ExecRequest, type ExecResult, isApiError, type Pod } from "kube-runtime";
import { containerName } from "../names.ts";
import type { World } from "../world.ts";

/** The pod refuses the command or does not answer in time. The command may have run. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** What a call to a pod needs to know of it. */
export interface PodName {
  readonly metadata: Pick<Pod["metadata"], "namespace" | "name">;
}

/** Runs a command in the database's container. Throws Unreachable when there is no answer within `limitSeconds`. */
export async function askPod(
  { exec }: Pick<World, "exec">,
  { metadata: { namespace = "", name } }: PodName,
  command: Pick<ExecRequest, "command" | "stdin">,
  signal: AbortSignal,
  limitSeconds = 40,
): Promise<ExecResult> {
  const limit = AbortSignal.timeout(limitSeconds * 1000);
  try {
    return await exec({ namespace, pod: name, container: containerName, ...command }, AbortSignal.any([signal, limit]));
  } catch (error) {
    if (signal.aborted || isApiError(error, "fenced")) throw error;
    if (limit.aborted) throw new Unreachable(`no answer within ${limitSeconds} s`, { cause: error });
    if (isApiError(error)) throw new Unreachable(error.message, { cause: error });
    throw error;
  }
}
