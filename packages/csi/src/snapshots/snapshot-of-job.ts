import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { type DctClient, eq, type Job, type Snapshot, type Vdb } from "@vdb/dct";
import type { Call } from "../grpc/handler.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { type Intent, namedSnapshots } from "./names.ts";

/** Objects lag behind the jobs that change them. */
const lagSeconds = 5;
const pauseSeconds = 0.1;

export interface Made {
  readonly intent: Intent;
  /** Undefined: DCT has forgotten the job. */
  readonly job: Job | undefined;
}

/** The snapshot that a job of DCT has made of a VDB: the answer to the request names the job alone. */
export async function snapshotOfJob(
  dct: Pick<DctClient, "searchSnapshots">,
  vdb: Vdb,
  { intent, job }: Made,
  call: Call,
): Promise<Snapshot> {
  const named = new Set(namedSnapshots(vdb).map(({ id }) => id));
  const until = performance.now() + Math.min(lagSeconds, call.secondsLeft()) * 1000;
  for (;;) {
    const all = await dct.searchSnapshots(eq("dataset_id", vdb.id), { sort: "creation_time", signal: call.signal });
    const found = madeBy(
      all.filter(({ id, creation_time }) => !named.has(id) && isLater(creation_time, intent.newestSnapshot)),
      job,
    );
    if (found !== undefined) return found;
    if (performance.now() > until)
      throw new RpcError(status.ABORTED, `a snapshot of VDB ${vdb.name ?? vdb.id} is taken, but DCT does not show it`);
    await sleep(pauseSeconds * 1000, undefined, { signal: call.signal });
  }
}

/** Of several that were made meanwhile the one whose time is nearest to the job's start. */
export function madeBy(candidates: readonly Snapshot[], job: Job | undefined): Snapshot | undefined {
  const start = timeOf(job?.start_time);
  const distance = ({ creation_time }: Snapshot): number => Math.abs(timeOf(creation_time) - start);
  return candidates.toSorted((left, right) => distance(left) - distance(right))[0];
}

/** Whether an instant is known to be after another; every one is after none. */
export const isLater = (instant: string | undefined, than: string | undefined): boolean =>
  than === undefined || timeOf(instant) > timeOf(than);

const timeOf = (instant: string | undefined): number => (instant === undefined ? 0 : Date.parse(instant));
