import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import type { Kubectl } from "@vdb/cluster";
import type { Way } from "./plan.ts";
import type { SeenPod } from "./pods.ts";

/** Strikes a pod. False when there was nothing to strike: the process has just ended by itself, or the pod is gone. */
export async function strike(kubectl: Kubectl, pod: SeenPod, way: Way): Promise<boolean> {
  if (way === "kill") return killIn(pod);
  const force = way === "force" ? ["--grace-period=0", "--force"] : [];
  const { exitCode } = await kubectl.try(["delete", "pod", pod.name, "-n", pod.namespace, "--wait=false", ...force]);
  return exitCode === 0;
}

type Process = { readonly pid: number; readonly parent: number; readonly inside: number; readonly name: string };

/** kill -9 to the postmaster of a database, which is its container's first process's child, and else to the first process itself. */
function killIn({ containerId }: SeenPod): boolean {
  const all = processesOf(containerId.replace(/^.*:\/\//u, ""));
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

/** The cluster's processes are seen in the machine's /proc: it has no process namespace of its own, its containers have. */
function processesOf(containerId: string): readonly Process[] {
  if (containerId === "") return [];
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/u.test(entry))
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(containerId)) return [];
        return [describe(Number(pid), readFileSync(`/proc/${pid}/status`, "utf8"))];
      } catch {
        return []; // it has ended while we looked
      }
    });
}

function describe(pid: number, status: string): Process {
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, "mu").exec(status)?.[1] ?? "";
  const inside = field("NSpid").split(/\s+/u).at(-1);
  return { pid, parent: Number(field("PPid")), inside: Number(inside), name: field("Name") };
}
