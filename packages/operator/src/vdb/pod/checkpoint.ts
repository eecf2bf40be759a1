import type { PostgresVDB } from "@vdb/api";
import { instanceKey, livePods, podsByInstance } from "../context.ts";
import { presentPod } from "../decide/decide-deployment.ts";
import { contentIdOf } from "../names.ts";
import type { World } from "../world.ts";
import { asSuperuser } from "./as-superuser.ts";
import { askPod, Unreachable } from "./ask-pod.ts";
import { podState } from "./pod-state.ts";

/** A checkpoint of a busy server writes all its dirty pages. */
const patienceSeconds = 300;

type Asked = Pick<World, "exec"> & { readonly caches: Pick<World["caches"], "pods"> };

/** Whether a database's server can be asked. stopped: it has no pod. */
export function serverOf({ caches }: Asked, vdb: PostgresVDB, now: number): "answers" | "stopped" | "silent" {
  const pods = caches.pods.byIndex(podsByInstance, instanceKey(vdb));
  if (livePods({ pods }).length === 0) return "stopped";
  const pod = presentPod(pods, contentIdOf(vdb));
  return pod !== undefined && podState(pod, now).kind === "ready" ? "answers" : "silent";
}

/** Makes the server write down everything that it holds in memory alone. Undefined, or why it has not. */
export async function checkpoint(world: Asked, vdb: PostgresVDB, signal: AbortSignal): Promise<string | undefined> {
  const pod = presentPod(world.caches.pods.byIndex(podsByInstance, instanceKey(vdb)), contentIdOf(vdb));
  if (pod === undefined) return "it has no pod";
  try {
    const command = ["/bin/sh", "-c", asSuperuser("CHECKPOINT")];
    const { exitCode, stderr } = await askPod(world, pod, { command }, signal, patienceSeconds);
    return exitCode === 0 ? undefined : stderr.trim().slice(0, 600) || `psql ended with exit code ${exitCode}`;
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return `its server does not answer: ${error.message}`;
  }
}
