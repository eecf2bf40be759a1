import type { Event } from "kube-runtime";
import { newestFirst } from "../decide/claim-events.ts";
import { stableWords } from "./stable-words.ts";

/** Why a pod is not being set up, as its events tell. */
export interface PodTrouble {
  readonly reason: "MountFailed" | "SandboxFailed";
  readonly message: string;
}

const reasons: ReadonlyMap<string, PodTrouble["reason"]> = new Map([
  ["FailedMount", "MountFailed"],
  ["FailedAttachVolume", "MountFailed"],
  ["FailedMapVolume", "MountFailed"],
  ["FailedCreatePodSandBox", "SandboxFailed"],
]);

/** Pure: the newest trouble among a pod's warnings; undefined when there is none. */
export function podTrouble(podName: string, warnings: readonly Event[]): PodTrouble | undefined {
  const newest = newestFirst(warnings).find(({ reason }) => reasons.has(reason));
  const reason = reasons.get(newest?.reason ?? "");
  if (reason === undefined || newest?.note === undefined) return undefined;
  if (reason === "MountFailed")
    return { reason, message: `cannot mount the volume of pod ${podName}: ${stableWords(newest.note)}` };
  const words = stableWords(newest.note.replace(/^Failed to create pod sandbox: /u, ""));
  const advice = /oom|memory/iu.test(words) ? "raise spec.resources.limits.memory" : "fix on the node what this names";
  return { reason, message: `cannot create the sandbox of pod ${podName}: ${words}; ${advice}` };
}
