import { readdirSync, readFileSync } from "node:fs";

/** The resident memory of the operators of this cluster in MiB, the largest first: that one leads. */
export function operatorMemory(): readonly number[] {
  const ours = `delphix-${process.env["CLUSTER_NAME"] || "delphix"}`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((pid) => {
      try {
        const isOperator = readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--leader-election=true");
        if (!isOperator || !readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(ours)) return [];
        const [, kib = "0"] = /^VmRSS:\s+(\d+)/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
        return [Number(kib) / 1024];
      } catch {
        return []; // it has ended meanwhile
      }
    })
    .toSorted((a, b) => b - a);
}
