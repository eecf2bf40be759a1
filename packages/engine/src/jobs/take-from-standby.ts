import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { latestSnapshot } from "../catalogue/datasets.ts";
import { Failure } from "../failure.ts";
import { type Recovered, recoverAndShutDown } from "../link/recover.ts";
import { contains, shownPosition } from "../link/standby-lines.ts";
import type { Followed } from "../link/standbys.ts";
import { parsePosition } from "../link/wal-position.ts";
import { requireFreeSpace } from "../pool/pool.ts";
import type { JobContext } from "./job-kind.ts";
import { cloneBytes } from "./take-snapshot.ts";

/** Data of a source that is recovered, and the instant that nothing in it is newer than. */
export interface Recoverable {
  readonly at: Date;
  readonly recovered: Recovered;
}

/** After the first one its server is started anew: a source that has just changed its timeline is then known to it as it is. */
const tries = 2;

/**
 * Makes the draft what the source is now, from its standby. Undefined: only a copy helps. Throws when the source cannot be asked, since
 * it could not be copied either.
 */
export async function takeFromStandby(context: JobContext, followed: Followed, draft: string): Promise<Recoverable | undefined> {
  const { pool, standbys, job, failpoint, signal, log } = context;
  const what = `a snapshot of dSource ${followed.name}`;
  const { location } = latestSnapshot(context.catalogue, followed.id) ?? {};
  const former = location === undefined ? undefined : parsePosition(location);
  for (let left = tries; left > 0; left -= 1) {
    await pool.remove(draft);
    await requireFreeSpace(pool, await context.reserveBytes(), cloneBytes, what);
    context.progress(10, "Waiting for the standby");
    const taken = await standbys.clone(followed, { to: draft, former }, signal);
    if ("because" in taken) {
      log.info({ because: taken.because }, "the engine copies the source");
      return undefined;
    }
    await failpoint(`${job.type}:streamed`);
    context.progress(50, "Recovering");
    const recovered = await recover(context, pool.pathOf(draft));
    if (!(recovered instanceof Failure) && contains(recovered.control, taken)) return { at: taken.at, recovered };
    const is = recovered instanceof Failure ? recovered.message : `it ends at ${recovered.control.checkpointLsn}`;
    const because = `a clone of its standby does not contain all up to ${shownPosition(taken)}: ${is}`;
    log.warn({ because }, "the standby is started anew");
    if (left > 1) await standbys.restart(followed);
    else standbys.lose(followed, because);
  }
  return undefined;
}

/** Of what lies beside the data nothing is the snapshot's. */
async function recover({ postgres, signal, log }: JobContext, folder: string): Promise<Recovered | Failure> {
  for (const name of await readdir(folder)) if (name !== "data") await rm(join(folder, name), { recursive: true });
  const data = join(folder, "data");
  // Its process number is that of the standby's server.
  await rm(join(data, "postmaster.pid"), { force: true });
  return await recoverAndShutDown(postgres, data, { signal, log }).catch((error: unknown) => {
    if (error instanceof Failure) return error;
    throw error;
  });
}
