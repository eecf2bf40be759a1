import process from "node:process";
import type { Kubectl } from "@vdb/cluster";
import { processesOf } from "../processes.ts";
import type { Way } from "./plan.ts";
import type { SeenPod } from "./pods.ts";

/** Strikes a pod. False when there was nothing to strike: the process has just ended by itself, or the pod is gone. */
export async function strike(kubectl: Kubectl, pod: SeenPod, way: Way): Promise<boolean> {
  if (way === "kill") return killIn(pod);
  const force = way === "force" ? ["--grace-period=0", "--force"] : [];
  const { exitCode } = await kubectl.try(["delete", "pod", pod.name, "-n", pod.namespace, "--wait=false", ...force]);
  return exitCode === 0;
}

/** kill -9 to the postmaster of a database, which is its container's first process's child, and else to the first process itself. */
function killIn({ containerId }: SeenPod): boolean {
  const all = processesOf(containerId);
  const first = all.find(({ inside }) => inside === 1);
  const victim = all.find(({ parent, name }) => parent === first?.pid && name === "postgres") ?? first;
  if (victim === undefined) return false;
  try {
    process.kill(victim.pid, "SIGKILL");
    return true;
  } catch {
    return false; // it ended a moment ago
  }
}
