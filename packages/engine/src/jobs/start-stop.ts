import { object } from "@vdb/dct";
import { conflict } from "../refusal.ts";
import { type DefinedJob, defineJob } from "./define-job.ts";
import { requireUnmounted } from "./require-unmounted.ts";
import { readyVdb } from "./require-vdb.ts";

/**
 * DB_START, DB_STOP: a pod's server is started and stopped by Kubernetes, so these jobs change nothing. A start is accepted for a VDB that
 * may run, a stop where nothing runs: neither says that it has done what it has not.
 */
const noEffect = (type: "DB_START" | "DB_STOP", accept: (parts: Accepting, vdbId: string) => string): DefinedJob<string> =>
  defineJob({
    type,
    parameters: object({}, {}),
    holds: () => [],
    reserve: (parts, vdbId: string) => ({ targetId: vdbId, targetName: accept(parts, vdbId), parameters: {} }),
    run: async () => () => undefined,
    undo: async () => () => undefined,
  });

type Accepting = Parameters<Parameters<typeof defineJob>[0]["reserve"]>[0];

export const startVdb = noEffect("DB_START", ({ catalogue }, vdbId) => {
  const vdb = readyVdb(catalogue, vdbId);
  if (!vdb.enabled) throw conflict(`VDB ${vdb.name} is disabled: enable it first; the pod that uses it starts its server`);
  return vdb.name;
});

export const stopVdb = noEffect("DB_STOP", ({ catalogue, pool }, vdbId) => {
  const vdb = readyVdb(catalogue, vdbId);
  requireUnmounted(pool, vdb.name, [vdb.timeflow_id]);
  return vdb.name;
});
