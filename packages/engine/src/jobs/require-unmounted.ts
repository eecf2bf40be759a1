/** What pods have mounted stays as it is. */
import { Failure } from "../failure.ts";
import { placeOfTimeflow } from "../pool/places.ts";
import type { Pool } from "../pool/pool.ts";
import { conflict } from "../refusal.ts";

/**
 * Throws a conflict while a pod has one of these timeflows of a VDB mounted. Another's bytes in the VDB's path would do it no harm: the pod
 * goes on with the bytes that it has. But its clients would go on writing what no later pod sees.
 */
export function requireUnmounted(pool: Pool, vdbName: string, timeflowIds: readonly string[]): void {
  const [mount] = timeflowIds.flatMap((id) => pool.mountsOf(placeOfTimeflow(id)));
  if (mount !== undefined)
    throw conflict(`VDB ${vdbName} is in use: its data is mounted at ${mount}; stop the pod that uses it, then ask again`);
}

/**
 * The same for the undoing of a job: a pod may have come to what the job has made when the engine was away. The runner tries again, so the
 * undoing waits for the pod's end.
 */
export function requireLeft(pool: Pool, place: string): void {
  const [mount] = pool.mountsOf(place);
  if (mount !== undefined)
    throw new Failure(`${place} is mounted at ${mount}: it stays in its place until the pod that uses it has stopped`);
}
