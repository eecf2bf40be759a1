import { setTimeout as sleep } from "node:timers/promises";
import { type DctClient, eq, type Job, type Snapshot, type Vdb } from "@vdb/dct";
import type { Call } from "../grpc/handler.ts";
import { type Intent, namedSnapshots } from "./names.ts";

/** Objects lag behind the jobs that change them. */
const lagSeconds = 5;
const pauseSeconds = 0.1;

/** What may have made it: the job that this call began, or all jobs since the intent of a call that was lost. */
type Makers =
  | { readonly intent: Intent; readonly job: Job | undefined; readonly jobs?: undefined }
  | { readonly intent: Intent; readonly jobs: readonly Job[]; readonly job?: undefined };

/**
 * The snapshot of a VDB that was made since an intent and has no name yet: DCT's answer to the request names the job alone.
 * Undefined: there is none, or DCT does not show it within some seconds.
 */
export async function unnamedSnapshot(
  dct: Pick<DctClient, "searchSnapshots">,
  vdb: Vdb,
  { intent, job, jobs }: Makers,
  call: Call,
): Promise<Snapshot | undefined> {
  const named = new Set(namedSnapshots(vdb).map(({ id }) => id));
  const until = performance.now() + Math.min(lagSeconds, call.secondsLeft()) * 1000;
  for (;;) {
    const all = await dct.searchSnapshots(eq("dataset_id", vdb.id), { sort: "creation_time", signal: call.signal });
    const later = all.filter(({ creation_time }) => isLater(creation_time, intent.newestSnapshot));
    const found = nearest(
      later.filter(({ id }) => !named.has(id)),
      job?.start_time,
    );
    if (found !== undefined) return found;
    // As many as were made are there, and all of them have names of their own.
    if (jobs !== undefined && later.length >= jobs.length) return undefined;
    if (performance.now() > until) return undefined;
    await sleep(pauseSeconds * 1000, undefined, { signal: call.signal });
  }
}

/** Of several that were made meanwhile the one whose time is nearest to the job's start; without one the oldest. */
function nearest(oldestFirst: readonly Snapshot[], start: string | undefined): Snapshot | undefined {
  if (start === undefined) return oldestFirst[0];
  const distance = ({ creation_time }: Snapshot): number => Math.abs(timeOf(creation_time) - timeOf(start));
  return oldestFirst.toSorted((left, right) => distance(left) - distance(right))[0];
}

/** Whether an instant is known to be after another; every one is after none. */
export const isLater = (instant: string | undefined, than: string | undefined): boolean =>
  than === undefined || timeOf(instant) > timeOf(than);

const timeOf = (instant: string | undefined): number => (instant === undefined ? 0 : Date.parse(instant));
