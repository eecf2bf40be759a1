import { status } from "@grpc/grpc-js";
import { claimIn, type DctClient, DctError, eq, type Job, jobClass, type Snapshot, type Tag, type Vdb } from "@vdb/dct";
import { awaitJob } from "../controller/await-job.ts";
import { codeOfFailure } from "../controller/failure-code.ts";
import { requireVdb } from "../controller/require-vdb.ts";
import type { Call } from "../grpc/handler.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { type Intent, intentKey, intentOf, intentTag, namedSnapshots, nameKey, nameTag } from "./names.ts";
import { isLater, unnamedSnapshot } from "./unnamed-snapshot.ts";

export interface WantedSnapshot {
  readonly name: string;
  readonly vdbId: string;
  /** `namespace/name` of the VolumeSnapshot. */
  readonly owner: string | undefined;
}

export interface TakenSnapshot {
  readonly snapshot: Snapshot;
  readonly vdb: Vdb;
}

/**
 * The snapshot of a VDB with this name: found, or taken and then named. A name gets one snapshot, wherever an earlier call was cut
 * off: what the VDB had before is written on it first, so that the next call sees by DCT's jobs whether a snapshot was begun.
 * Somebody else's snapshot of the same VDB, begun after that, cannot be told from the lost call's own: it holds the data of that
 * time too, and is taken for it.
 */
export async function takeSnapshot(dct: DctClient, wanted: WantedSnapshot, call: Call): Promise<TakenSnapshot> {
  const { name, vdbId } = wanted;
  const { signal } = call;
  for (;;) {
    const vdb = await requireVdb(dct, vdbId, signal);
    call.tell({ claim: claimIn(vdb.tags) });
    const what = `taking snapshot ${name} of VDB ${vdb.name ?? vdbId}`;
    const known = namedSnapshots(vdb).find((one) => one.name === name);
    if (known !== undefined) {
      const snapshot = await dct.getSnapshot(known.id, { signal });
      if (intentOf(vdb, name) !== undefined) await dct.untagVdb(vdbId, intentKey(name), { signal });
      if (snapshot !== undefined) return { snapshot, vdb };
      await dct.untagVdb(vdbId, nameKey(name), { signal }); // deleted in DCT: the name is free again
      continue;
    }
    const earlier = intentOf(vdb, name);
    const jobs = earlier === undefined ? [] : await jobsSince(dct, vdbId, earlier, signal);
    const running = jobs.find(({ status: state }) => jobClass(state) !== "succeeded");
    if (running !== undefined) {
      await awaitJob(dct, running.id, what, call);
      continue;
    }
    const lost = earlier === undefined ? undefined : await unnamedSnapshot(dct, vdb, { intent: earlier, jobs }, call);
    const intent = earlier ?? (await recordIntent(dct, wanted, signal));
    const snapshot = lost ?? (await takeNow(dct, { wanted, vdb, intent, what }, call));
    if (snapshot === undefined) throw new RpcError(status.ABORTED, `${what}: it is taken, but DCT does not show it`);
    await remember(dct, vdbId, nameTag({ name, id: snapshot.id, owner: wanted.owner }), signal);
    await dct.untagVdb(vdbId, intentKey(name), { signal });
    return { snapshot, vdb };
  }
}

interface Task {
  readonly wanted: WantedSnapshot;
  readonly vdb: Vdb;
  readonly intent: Intent;
  readonly what: string;
}

async function takeNow(dct: DctClient, { wanted, vdb, intent, what }: Task, call: Call): Promise<Snapshot | undefined> {
  const { signal } = call;
  const jobId = await begin(dct, wanted, signal);
  const end = await awaitJob(dct, jobId, what, call);
  if (end.kind !== "failed") return await unnamedSnapshot(dct, vdb, { intent, job: end.job }, call);
  await dct.untagVdb(vdb.id, intentKey(wanted.name), { signal }); // nothing of it is left
  throw failed(wanted.name, end.message);
}

async function recordIntent(dct: DctClient, { name, vdbId }: WantedSnapshot, signal: AbortSignal): Promise<Intent> {
  const [[job], [snapshot]] = await Promise.all([
    dct.searchJobs(eq("target_id", vdbId), { sort: "-start_time", limit: 1, signal }),
    dct.searchSnapshots(eq("dataset_id", vdbId), { sort: "-creation_time", limit: 1, signal }),
  ]);
  const intent = { newestJob: job?.start_time, newestSnapshot: snapshot?.creation_time };
  await remember(dct, vdbId, intentTag(name, intent), signal);
  return intent;
}

/** A VDB has room for some hundred names. */
async function remember(dct: Pick<DctClient, "tagVdb">, vdbId: string, tag: Tag, signal: AbortSignal): Promise<void> {
  try {
    await dct.tagVdb(vdbId, [tag], { signal });
  } catch (error) {
    if (!(error instanceof DctError) || error.kind !== "refused") throw error;
    const words = `DCT does not take the name of another snapshot of VDB ${vdbId}: delete VolumeSnapshots of it`;
    throw new RpcError(status.RESOURCE_EXHAUSTED, `${words} (${error.message})`, error);
  }
}

/** The jobs since then that take a snapshot, and have not failed; in their order. */
async function jobsSince(dct: DctClient, vdbId: string, { newestJob }: Intent, signal: AbortSignal): Promise<readonly Job[]> {
  const jobs = await dct.searchJobs(eq("target_id", vdbId), { sort: "start_time", signal });
  return jobs.filter(
    (job) => job.type?.includes("SNAPSHOT") === true && jobClass(job.status) !== "failed" && isLater(job.start_time, newestJob),
  );
}

async function begin(dct: DctClient, { name, vdbId }: WantedSnapshot, signal: AbortSignal): Promise<string> {
  try {
    return (await dct.snapshotVdb(vdbId, { signal })).jobId;
  } catch (error) {
    if (!(error instanceof DctError) || !["conflict", "refused", "notFound"].includes(error.kind)) throw error;
    // Not begun. A VDB that is gone has taken its tags with it.
    if (error.kind !== "notFound") await dct.untagVdb(vdbId, intentKey(name), { signal });
    throw failed(name, error.message, error);
  }
}

const failed = (name: string, reason: string, cause?: unknown): RpcError =>
  new RpcError(codeOfFailure(reason), `taking snapshot ${name} failed: ${reason}`, cause);
