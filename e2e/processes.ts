import { readdirSync, readFileSync } from "node:fs";

export type Process = {
  readonly pid: number;
  readonly parent: number;
  /** Its number within its container. */
  readonly inside: number;
  readonly name: string;
};

/**
 * The processes of a container, by its id as a pod's status has it: containerd://…, "" before it is made. The cluster's processes
 * are seen in the machine's /proc: it has no process namespace of its own, its containers have.
 */
export function processesOf(containerId: string): readonly Process[] {
  const id = containerId.replace(/^.*:\/\//u, "");
  if (id === "") return [];
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/u.test(entry))
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(id)) return [];
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
