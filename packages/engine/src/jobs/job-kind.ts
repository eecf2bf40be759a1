import type { Log } from "kube-runtime";
import type { Catalogue } from "../catalogue/catalogue.ts";
import type { JobRow } from "../catalogue/rows.ts";
import type { Postgres } from "../link/postgres.ts";
import type { Secrets } from "../link/secrets.ts";
import type { Standbys } from "../link/standbys.ts";
import type { Pool } from "../pool/pool.ts";

/** How much the source has sent, and how much of that was new to the pool. */
export type BaseBackupCame = (
  source: { readonly id: string; readonly name: string },
  bytes: { readonly readBytes: number; readonly writtenBytes: number },
) => void;

/** What jobs work with. */
export interface Parts {
  readonly catalogue: Catalogue;
  readonly pool: Pool;
  readonly postgres: Postgres;
  readonly secrets: Secrets;
  readonly standbys: Standbys;
  /** Bytes that stay free in the pool whatever is asked for. */
  reserveBytes(): Promise<number>;
  readonly log: Log;
  /** Told of each base backup that has come. */
  readonly baseBackupCame: BaseBackupCame;
  /** Called at the points where a crash must do no harm. Does nothing, except in the tests that crash there. */
  readonly failpoint: (name: string) => Promise<void>;
}

export interface JobContext extends Parts {
  readonly job: JobRow;
  readonly signal: AbortSignal;
  /** Shown to who polls the job; kept in memory until the job ends. */
  progress(percentComplete: number, task: string): void;
}

/** Changes to the catalogue, applied in the same transaction that ends the job. */
export type Result = () => void;

/**
 * One kind of job. Its intent is in the catalogue before `run` begins. After a crash `run` is called again from its start, so
 * each of its effects is looked for before it is made: ids are chosen beforehand, and what is in the pool under an id is whole.
 * When `run` throws, `undo` removes what it left; it, too, may be called again.
 */
export interface JobKind {
  run(context: JobContext): Promise<Result>;
  undo(context: JobContext, failure: string): Promise<Result>;
}
