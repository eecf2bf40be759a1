import { type DctClient, type DctConnection, eq, type Snapshot, unfinishedJobOf, waitForJob } from "@vdb/dct";
import { after, done } from "kube-runtime";
import { ActionFailed } from "../../action-failed.ts";
import type { SnapshotWay } from "../../csi/content/snapshot-way.ts";

type Dct = Pick<DctClient, "searchSnapshots" | "searchJobs" | "getJob" | "snapshotVdb" | "deleteSnapshot">;

const scheme = "dct-snapshot";
/** A longer job is waited for by the next look. */
const patienceSeconds = 10;
/** DCT runs the job under this type. */
const snapshotJob = "DB_SNAPSHOT";

/** Through DCT: for a volume whose driver has no VolumeSnapshotClass. Its intent is the newest snapshot that there was before. */
export function byDct(connection: Pick<DctConnection, "call">): SnapshotWay {
  const call = async <T>(work: (dct: Dct) => Promise<T>, signal: AbortSignal): Promise<T> => await connection.call(work, signal);
  return {
    scheme,
    intend: async (_, { handle }, signal) => {
      if (handle === "") return undefined;
      const newest = await call(async (dct) => await newestOf(dct, handle, signal), signal);
      return `${scheme} of ${handle} after ${newest?.id ?? "none"}`;
    },
    look: async (_, intent, signal) =>
      await call(async (dct) => {
        const { vdb, before } = parsed(intent);
        const running = await unfinishedJobOf(dct, vdb, signal);
        if (running?.type === snapshotJob) return effectOf(intent, running.id);
        const newest = await newestOf(dct, vdb, signal);
        return newest === undefined || newest.id === before ? undefined : effectOf(intent, "none");
      }, signal),
    begin: async (_, intent, signal) =>
      await call(async (dct) => effectOf(intent, (await dct.snapshotVdb(parsed(intent).vdb, { signal })).jobId), signal),
    end: async (_, effect, signal) => await call(async (dct) => await ended(dct, effect, signal), signal),
    named: () => ({ type: "dct-snapshot", readyToUse: false }),
    ready: async (_, effect, signal) => {
      const { vdb, before } = parsed(effect);
      const taken = await call(async (dct) => await newestOf(dct, vdb, signal), signal);
      if (taken === undefined || taken.id === before) return after(1, "Running", "DCT does not show the snapshot yet");
      return {
        type: "dct-snapshot",
        name: taken.id,
        id: taken.id,
        ...(taken.timestamp === undefined ? {} : { timestamp: taken.timestamp }),
        readyToUse: true,
      };
    },
    discard: async (_, effect, signal) =>
      await call(async (dct) => {
        const { vdb, before } = parsed(effect);
        const running = await unfinishedJobOf(dct, vdb, signal);
        if (running !== undefined)
          return after(1, "RollingBack", `DCT's job ${running.type ?? ""} on the VDB ${vdb} is under way`);
        const taken = await newestOf(dct, vdb, signal);
        if (taken === undefined || taken.id === before) return done();
        await dct.deleteSnapshot(taken.id, { signal });
        return after(1, "RollingBack", `DCT deletes the snapshot ${taken.id}`);
      }, signal),
  };
}

async function ended(dct: Dct, effect: string, signal: AbortSignal) {
  const { job } = parsed(effect);
  if (job === "none") return done();
  const end = await waitForJob(dct, job, { signal, deadlineSeconds: patienceSeconds });
  if (end.kind === "failed") throw new ActionFailed("StorageFailed", `DCT took no snapshot: ${end.message}`);
  return end.kind === "deadline" ? after(1, "Running", "DCT takes the snapshot") : done();
}

async function newestOf(dct: Dct, vdb: string, signal: AbortSignal): Promise<Snapshot | undefined> {
  const [newest] = await dct.searchSnapshots(eq("dataset_id", vdb), { limit: 1, sort: "-timestamp", signal });
  return newest;
}

const effectOf = (intent: string, job: string): string => `${intent} by ${job}`;

function parsed(text: string): { readonly vdb: string; readonly before: string; readonly job: string } {
  const [, , vdb = "", , before = "", , job = "none"] = text.split(" ");
  return { vdb, before, job };
}
