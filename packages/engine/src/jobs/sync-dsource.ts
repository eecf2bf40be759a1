import { chmod, chown, mkdir } from "node:fs/promises";
import { object, string } from "@vdb/dct";
import { dSourceById, latestSnapshot } from "../catalogue/datasets.ts";
import { type Connection, type DSourceRow, isEmptySource, type SnapshotRow } from "../catalogue/rows.ts";
import { Failure } from "../failure.ts";
import { type BaseBackup, takeBaseBackup } from "../link/base-backup.ts";
import { dataOwner, dataOwnerSpec } from "../link/owner.ts";
import { recoverAndShutDown } from "../link/recover.ts";
import { requireMajor, stateOf, withSource } from "../link/source.ts";
import type { Followed } from "../link/standbys.ts";
import { isStreamed } from "../link/sync.ts";
import { draftOf, placeOfSnapshot } from "../pool/places.ts";
import { type Pool, requireFreeSpace, TooLittleSpace } from "../pool/pool.ts";
import { conflict } from "../refusal.ts";
import { type DefinedJob, defineJob } from "./define-job.ts";
import type { JobContext } from "./job-kind.ts";
import { reserveSnapshot } from "./reserve-snapshot.ts";
import { type Recoverable, takeFromStandby } from "./take-from-standby.ts";
import { dropUnfinished } from "./take-snapshot.ts";

const parameters = object({ snapshotId: string }, {});

interface Wanted {
  readonly source: DSourceRow;
  readonly madeBy: SnapshotRow["made_by"];
}

/**
 * DB_LINK, DB_SYNC: a snapshot of a production database. A clone of its standby, or a base backup, goes into a subvolume of `work`,
 * is recovered and shut down there, and its read-only clone is the snapshot. So recovery is paid once here and not by every clone.
 * For a base backup the subvolume begins as a clone of the latest snapshot, and only what differs is written: what did not change is
 * in the pool once. Of a dSource that is linked to nothing it is an empty folder.
 * Intent: the snapshot's row in state `creating`. A subvolume under `snapshots` is whole; one under `work` is begun anew.
 */
const sync = (type: "DB_LINK" | "DB_SYNC"): DefinedJob<Wanted> =>
  defineJob({
    type,
    parameters,
    holds: () => [],
    reserve: ({ catalogue }, { source, madeBy }: Wanted) => {
      if (source.state === "deleting") throw conflict(`dSource ${source.name} is being deleted`);
      const dataset = { ...source, owner: dataOwnerSpec };
      const snapshotId = reserveSnapshot(catalogue, { dataset, kind: "dSource", madeBy });
      return { targetId: source.id, targetName: source.name, parameters: { snapshotId } };
    },
    run: async (context, { snapshotId: id }) => {
      const { catalogue, pool, job, failpoint } = context;
      if (!(await pool.has(placeOfSnapshot(id)))) await make(context, id).catch((error: unknown) => fullDisk(context, error));
      await failpoint(`${job.type}:cloned`);
      await pool.remove(draftOf(id));
      return () => {
        catalogue.run("UPDATE snapshot SET state = 'ready' WHERE id = ?", id);
        catalogue.run(
          "UPDATE dsource SET state = 'linked', last_error = NULL WHERE id = ? AND state <> 'deleting'",
          job.target_id,
        );
      };
    },
    undo: async (context, { snapshotId }, failure) => {
      const { catalogue, job } = context;
      const drop = await dropUnfinished(context, snapshotId);
      return () => {
        drop();
        catalogue.run("UPDATE dsource SET last_error = ? WHERE id = ?", failure, job.target_id);
        // A link asked for through the API is as if it had not been asked for; a declared one is tried again.
        const unasked = "SELECT id FROM dsource WHERE id = ? AND state = 'linking' AND declared = 0";
        catalogue.run(`DELETE FROM timeflow WHERE dataset_id IN (${unasked})`, job.target_id);
        catalogue.run(`DELETE FROM dsource WHERE id IN (${unasked})`, job.target_id);
      };
    },
  });

export const linkDSource = sync("DB_LINK");
export const syncDSource = sync("DB_SYNC");

/** The first snapshot of a dSource is what links it. */
export const snapshotDSource: Pick<DefinedJob<Wanted>, "request"> = {
  request: (parts, wanted) => (wanted.source.state === "linking" ? linkDSource : syncDSource).request(parts, wanted),
};

/** A disk that fills up while PostgreSQL's programs write to it is told in their words: ours name the pool and its bytes. */
async function fullDisk(context: JobContext, error: unknown): Promise<never> {
  const isFull = error instanceof Error && /no space left on device/iu.test(error.message);
  if (!isFull && !(error instanceof TooLittleSpace)) throw error;
  const { catalogue, pool, job } = context;
  // The next try checks the free space before it copies, so it need not be held back.
  catalogue.run("UPDATE job SET copying_since = NULL WHERE id = ?", job.id);
  if (!isFull) throw error;
  const neededBytes = (await context.reserveBytes()) + 1;
  throw new TooLittleSpace(
    pool.pathOf(""),
    await pool.freeBytes("settled"),
    neededBytes,
    `a base backup of dSource ${job.target_name}`,
  );
}

async function make(context: JobContext, id: string): Promise<void> {
  const { catalogue, pool, job, failpoint } = context;
  const source = dSourceById(catalogue, job.target_id);
  if (source === undefined) throw new Failure(`dSource ${job.target_id} does not exist any more`);
  const draft = draftOf(id);
  if (isEmptySource(source.connection)) {
    await beginDraft(context, source, draft);
    const now = new Date().toISOString();
    catalogue.run("UPDATE snapshot SET timestamp = ?, consistency = 'CONSISTENT' WHERE id = ?", now, id);
    return await pool.clone(draft, placeOfSnapshot(id), "readOnly");
  }
  const followed = { id: source.id, name: source.name, connection: source.connection };
  const { at, recovered } =
    (isStreamed(source.connection) ? await takeFromStandby(context, followed, draft) : undefined) ??
    (await copy(context, source, followed, draft));
  catalogue.run(
    "UPDATE snapshot SET timestamp = ?, location = ?, version = ?, consistency = 'CONSISTENT' WHERE id = ?",
    at.toISOString(),
    recovered.lsn,
    recovered.version,
    id,
  );
  await failpoint(`${job.type}:recovered`);
  await pool.clone(draft, placeOfSnapshot(id), "readOnly");
}

/** With a base backup, which becomes the standby too where there is to be one. */
async function copy(context: JobContext, source: DSourceRow, followed: Followed, draft: string): Promise<Recoverable> {
  const { pool, postgres, standbys, job, failpoint, signal, log } = context;
  const { connection } = followed;
  const former = await beginDraft(context, source, draft);
  const data = `${pool.pathOf(draft)}/data`;
  await ownFolder(data);
  const { end, readBytes, writtenBytes, obstacle } = await backUp(context, source.name, connection, { draft, data, former });
  log.info({ former, readBytes, writtenBytes }, "a base backup has come");
  context.baseBackupCame(source, { readBytes, writtenBytes });
  await failpoint(`${job.type}:backedUp`);
  if (obstacle !== undefined) await standbys.refuse(followed, obstacle);
  else if (isStreamed(connection)) await standbys.begin(followed, draft);
  await failpoint(`${job.type}:begun`);
  context.progress(90, "Recovering");
  return { at: end, recovered: await recoverAndShutDown(postgres, data, { signal, log }) };
}

/** Answers the snapshot that the draft is a clone of, if there is one. */
async function beginDraft({ catalogue, pool }: JobContext, source: DSourceRow, draft: string): Promise<string | undefined> {
  await pool.remove(draft);
  const former = isEmptySource(source.connection) ? undefined : latestSnapshot(catalogue, source.id)?.id;
  if (former !== undefined && (await cloneOf(pool, placeOfSnapshot(former), draft))) return former;
  await pool.create(draft);
  await ownFolder(pool.pathOf(draft));
  return undefined;
}

/** False: it went away before. Nobody has to wait with its deletion for this. */
async function cloneOf(pool: Pool, from: string, to: string): Promise<boolean> {
  try {
    await pool.clone(from, to, "writable");
    return true;
  } catch (error) {
    if (await pool.has(from)) throw error;
    return false;
  }
}

async function ownFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chown(folder, dataOwner.uid, dataOwner.gid);
  await chmod(folder, 0o700);
}

async function backUp(
  context: JobContext,
  name: string,
  connection: Connection,
  { draft, data, former }: { readonly draft: string; readonly data: string; readonly former: string | undefined },
): Promise<BaseBackup & { readonly obstacle: string | undefined }> {
  const { catalogue, pool, postgres, secrets, job, failpoint, signal } = context;
  const reserveBytes = await context.reserveBytes();
  const what = `a base backup of dSource ${name}`;
  await requireFreeSpace(pool, reserveBytes, 0, what);
  return await withSource(connection, secrets, pool.pathOf(draft), async (source) => {
    const major = await requireMajor(postgres, source, signal);
    const obstacle = isStreamed(connection) ? (await stateOf(postgres, source, signal)).obstacle : undefined;
    const taken = await takeBaseBackup(postgres, source, data, {
      signal,
      major,
      onTotal: async (bytes, { paused }) => {
        // How much of it differs from the former one shows as it comes; the watch below ends it in time.
        if (former === undefined) await requireFreeSpace(pool, reserveBytes, bytes, what, paused);
        // From here on it costs production something to try again; see next-try.ts.
        catalogue.run("UPDATE job SET copying_since = ? WHERE id = ?", new Date().toISOString(), job.id);
      },
      onFiles: () => failpoint(`${job.type}:overwritten`),
      onProgress: (percent) => context.progress(Math.floor(percent * 0.85), "Copying"),
      watch: ({ paused }) => requireFreeSpace(pool, reserveBytes, 0, what, paused),
    });
    return { ...taken, obstacle };
  });
}
