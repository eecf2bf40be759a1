import { type DctClient, DctError, findVdb, type Job, unfinishedJobOf, type Vdb, waitForJob } from "@vdb/dct";
import { after, done, type Outcome } from "kube-runtime";
import { ActionFailed } from "../../action-failed.ts";
import { returnWords } from "../../content-store.ts";

export type ChangingDct = Pick<
  DctClient,
  | "searchVdbs"
  | "searchJobs"
  | "getJob"
  | "abandonJob"
  | "refreshBySnapshot"
  | "rollbackBySnapshot"
  | "switchTimeflow"
  | "undoRefresh"
>;

/** A change of a VDB's data as the journal keeps it: by what, and the timeflow that was current before. */
export interface Change {
  readonly verb: "refresh" | "rewind" | "switch";
  readonly vdb: string;
  /** A snapshot's id; for `switch` a timeflow's. */
  readonly to: string;
  readonly before: string;
  /** Whether the state that it returns to is known to have been taken with the gate open. */
  readonly taken: "open" | "unknown";
}

export const changeText = ({ verb, vdb, to, before, taken }: Change): string =>
  `${verb} ${vdb} to ${to} from ${before} taken ${taken}`;

export function changeIn(text: string): Change {
  const [verb = "", vdb = "", , to = "", , before = "", , taken = ""] = text.split(" ");
  if (verb !== "refresh" && verb !== "rewind" && verb !== "switch") throw new TypeError(`no change: ${text}`);
  return { verb, vdb, to, before, taken: taken === "open" ? "open" : "unknown" };
}

/** A longer job is waited for by the next look. */
const patienceSeconds = 10;
const changing: ReadonlySet<string> = new Set(["DB_REFRESH", "DB_ROLLBACK", "DB_UNDO_REFRESH", "DB_SWITCH_TIMEFLOW"]);

/** Throws where DCT does not show the VDB: nothing may be begun then. */
export async function vdbIn(dct: Pick<DctClient, "searchVdbs">, id: string, signal: AbortSignal): Promise<Vdb> {
  const vdb = await findVdb(dct, id, signal);
  if (vdb === undefined) throw new DctError("unreachable", `DCT does not show the VDB ${id}`);
  return vdb;
}

/** The job that changes the VDB's data, or that it has other data than before; undefined: neither. */
export async function changeBegun(dct: ChangingDct, { vdb, before }: Change, signal: AbortSignal): Promise<string | undefined> {
  const running = await unfinishedJobOf(dct, vdb, signal);
  if (isChanging(running)) return running.id;
  return (await currentOf(dct, vdb, signal)) === before ? undefined : "none";
}

export const currentOf = async (dct: Pick<DctClient, "searchVdbs">, id: string, signal: AbortSignal): Promise<string> =>
  (await vdbIn(dct, id, signal)).current_timeflow_id ?? "none";

/** The id of the job that DCT began. What it refuses for good is thrown as ActionFailed. */
export async function beginChange(dct: ChangingDct, { verb, vdb, to }: Change, signal: AbortSignal): Promise<string> {
  try {
    switch (verb) {
      case "refresh":
        return (await dct.refreshBySnapshot(vdb, { snapshot_id: to }, { signal })).jobId;
      case "rewind":
        return (await dct.rollbackBySnapshot(vdb, { snapshot_id: to }, { signal })).jobId;
      case "switch":
        return (await dct.switchTimeflow(vdb, { timeflow_id: to }, { signal })).jobId;
      default:
        return verb satisfies never;
    }
  } catch (error) {
    if (error instanceof DctError && (error.kind === "refused" || error.kind === "notFound"))
      throw new ActionFailed("StorageFailed", `DCT refuses the ${verb}: ${error.message}`);
    throw error;
  }
}

/** Done when the job has changed the data. One that failed has not: the data is as before. */
export async function changeEnded(dct: ChangingDct, change: Change, job: string, signal: AbortSignal): Promise<Outcome> {
  if (job === "none") return done();
  const end = await waitForJob(dct, job, { signal, deadlineSeconds: patienceSeconds });
  if (end.kind === "failed") throw new ActionFailed("StorageFailed", `DCT's ${change.verb} failed: ${end.message}`);
  return end.kind === "deadline" ? after(0.5, "Running", `DCT carries out the ${change.verb} (job ${job})`) : done();
}

/**
 * Brings back the timeflow that was current before. Done when it is; to be called until then. What DCT refuses may pass, and is
 * asked again; the last time it counts as refused for good.
 */
export async function takeBack(
  dct: ChangingDct,
  { vdb, before }: Change,
  isLastTry: boolean,
  signal: AbortSignal,
): Promise<Outcome> {
  const running = await unfinishedJobOf(dct, vdb, signal);
  if (running !== undefined) {
    if (mayBeAbandoned(running)) await abandon(dct, running.id, signal);
    await waitForJob(dct, running.id, { signal, deadlineSeconds: patienceSeconds });
  }
  const current = await currentOf(dct, vdb, signal);
  if (current === before || before === "none") return done();
  if (running !== undefined) return after(0.1, "RollingBack", "DCT's job on the VDB has ended");
  const what = `the old data (timeflow ${before}) in place of the new (timeflow ${current})`;
  const answer = await switchBack(dct, vdb, before, signal);
  if (answer.kind === "refused") {
    if (isLastTry)
      throw new ActionFailed("RollbackFailed", `DCT refuses to bring back ${what}: ${answer.message}; ${returnWords}`);
    return after(refusedSeconds, "RollingBack", `DCT refuses to bring back ${what}: ${answer.message}; it is asked again`);
  }
  const end = await waitForJob(dct, answer.job, { signal, deadlineSeconds: patienceSeconds });
  if (end.kind === "failed")
    throw new ActionFailed("RollbackFailed", `DCT could not bring back ${what}: ${end.message}; ${returnWords}`);
  return after(0.1, "RollingBack", `DCT brings back the timeflow ${before}`);
}

/** The change that is taken back, as long as it waits for its turn. Bringing back the old data is a job of another type. */
const mayBeAbandoned = ({ type, status }: Job): boolean =>
  status === "PENDING" && (type === "DB_REFRESH" || type === "DB_ROLLBACK");

/** A refusal changes nothing: the job has begun, or this DCT abandons none. Its end is waited for either way. */
async function abandon(dct: ChangingDct, job: string, signal: AbortSignal): Promise<void> {
  try {
    await dct.abandonJob(job, { signal });
  } catch (error) {
    if (!(error instanceof DctError) || !["refused", "notFound", "conflict"].includes(error.kind)) throw error;
  }
}

/** How soon what DCT refuses is asked for again. */
const refusedSeconds = 5;

type Answer = { readonly kind: "begun"; readonly job: string } | { readonly kind: "refused"; readonly message: string };

/** A DCT that does not switch timeflows may undo its last change, where that leads to the same data. */
async function switchBack(dct: ChangingDct, vdb: string, before: string, signal: AbortSignal): Promise<Answer> {
  const asked = await begun(async () => await dct.switchTimeflow(vdb, { timeflow_id: before }, { signal }));
  if (asked.kind === "begun" || (await vdbIn(dct, vdb, signal)).previous_timeflow_id !== before) return asked;
  return await begun(async () => await dct.undoRefresh(vdb, { signal }));
}

async function begun(start: () => Promise<{ readonly jobId: string }>): Promise<Answer> {
  try {
    return { kind: "begun", job: (await start()).jobId };
  } catch (error) {
    if (!(error instanceof DctError) || !refusals.has(error.kind)) throw error;
    return { kind: "refused", message: error.message };
  }
}

/** A key that is refused is an outage: it says nothing of the data. */
const refusals: ReadonlySet<string> = new Set(["refused", "notFound", "conflict"]);

export const isChanging = (job: Job | undefined): job is Job => job?.type !== undefined && changing.has(job.type);
