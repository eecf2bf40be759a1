import type { JobRow, JobType } from "../catalogue/rows.ts";

type Scheduled = Pick<JobRow, "id" | "type" | "target_id">;

/** Base backups: each fills a disk and a network by itself, two at once only slow each other down. */
const heavyTypes: ReadonlySet<JobType> = new Set(["DB_LINK", "DB_SYNC"]);
const heavyAtOnce = 1;
const lightAtOnce = 4;

/** Which of the waiting jobs start now. One job per target at a time, in the order of arrival; the rest has its own limits. */
export function choose<T extends Scheduled>(waiting: readonly T[], running: readonly Scheduled[]): readonly T[] {
  const taken = new Set(running.map((job) => job.target_id));
  const isRunning = new Set(running.map((job) => job.id));
  const left = {
    heavy: heavyAtOnce - running.filter(isHeavy).length,
    light: lightAtOnce - running.filter((job) => !isHeavy(job)).length,
  };
  return waiting.filter((job) => {
    if (isRunning.has(job.id)) return false;
    const load = isHeavy(job) ? "heavy" : "light";
    const free = !taken.has(job.target_id) && left[load] > 0;
    // A job that waits keeps its target: a later one must not overtake it.
    taken.add(job.target_id);
    if (free) left[load] -= 1;
    return free;
  });
}

const isHeavy = ({ type }: Scheduled): boolean => heavyTypes.has(type);
