import type { PostgresVDBSpec } from "@vdb/api";
import { modeLabel } from "../names.ts";
import type { Course } from "./hold.ts";

/**
 * How a pod runs its server.
 * - Primary: read and write. Data that was never opened runs so, behind the shut gate, until its hooks have succeeded.
 * - Preparing: the same for the data of a Standby that was open and lacks what only a writable server can be given; its gate is
 *   shut, whatever the pod finds in its ConfigMap.
 * - Standby: read-only.
 */
export const podModes = ["Primary", "Preparing", "Standby"] as const;
export type PodMode = (typeof podModes)[number];

/** Of a pod, or of a Deployment's template. */
export const modeOf = ({ labels }: { readonly labels?: Readonly<Record<string, string>> } = {}): PodMode =>
  podModes.find((mode) => mode === labels?.[modeLabel]) ?? "Primary";

export interface ModeFacts {
  readonly mode: PostgresVDBSpec["mode"];
  /** That of the Deployment, if it is for the present data. */
  readonly present: PodMode | undefined;
  readonly wasOpened: boolean;
  /** Whether no hook has to run on the present data any more. */
  readonly hooksDone: boolean;
}

/** Pure: how the pod of the present data is to run. The Deployment is the record of how far a Standby has come. */
export function decideMode({ mode, present, wasOpened, hooksDone }: ModeFacts): PodMode {
  if (mode === "Primary") return "Primary";
  if (wasOpened) return present === "Preparing" ? "Preparing" : "Standby";
  return present === "Standby" && hooksDone ? "Standby" : "Primary";
}

/** Pure: whether clients are kept out of opened data because its server may be written to and must not. */
export const shutsWriters = (mode: PostgresVDBSpec["mode"], present: PodMode | undefined, course: Course): boolean =>
  present === "Preparing" || (mode === "Standby" && present === "Primary" && course !== "asItRuns");
