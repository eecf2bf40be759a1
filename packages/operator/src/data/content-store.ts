import type { PostgresVDB, RefreshSnapshotRef, RewindSnapshotRef, SnapshotStatus, VdbContent } from "@vdb/api";
import { type Client, done, type KubeObject, type Outcome, type Run } from "kube-runtime";
import type { Discard, Told } from "./source.ts";

/**
 * How the data of a database is snapshotted, replaced, given back and discarded. Actions act through this alone, and so does the
 * database itself where an action left it something. One implementation for each place that keeps bytes: a database has the one
 * of its DataSource.
 *
 * Expected flow of a refresh or rewind: `choose` and `prepare` while the old data answers; the database is stopped; `cutOver`; the
 * new content, with what `brought` tells of it, is written to the database's status in one write, and the old one beside it; the
 * database comes up. Then the older previous data is discarded. To take it back: the database is stopped; the new content is
 * written if the storage has it already; `giveBack`; the new data is discarded; the old content is written back unchanged.
 *
 * Guarantees of every implementation:
 * - Each call may be repeated at any point, a crash included. What an action makes is named by the action's uid, or looked for
 *   by what was there before it.
 * - The old data exists until `discard` is asked for it, and never changes. Only `cutOver` and `giveBack` may change what an
 *   unchanged claim leads to, and they need the database stopped.
 * - An outage is thrown, and `DataSources.explain` makes an outcome of it. What is refused for good, before anything was done, is
 *   thrown as ActionFailed. `discard`, `clear` and `needed`, on which nothing depends, return either as a value; only an
 *   outage of the API server is thrown.
 * - It writes nothing to the database's status: the caller does.
 */
export interface ContentStore {
  readonly snapshot: SnapshotDeed;
  /** A bookmark named spec.bookmarkName of a snapshot; undefined: this storage has none. */
  readonly bookmark: BookmarkDeed | undefined;

  /** Finds the data that is asked for. Changes nothing. What is not there, or cannot be used, is refused with the choices there are. */
  readonly choose: (work: Work, wanted: Wanted, signal: AbortSignal) => Promise<Chosen>;
  /** Pure: what the journal's text of a choice says of the present data. It is written to `status.content` before the stop. */
  readonly present: (chosen: string) => Pick<VdbContent, "timeflow">;
  /** What can be done while the old data answers; it may be `nothingToDo`. Intent: `Chosen.text`. */
  readonly prepare: Deed;
  /** What has to wait until nothing has the old data open; it may be `nothingToDo`. Intent: `Chosen.text`. */
  readonly cutOver: Deed;
  /** After the cut-over: what the new content says of its bytes. */
  readonly brought: (work: Work, effect: string, signal: AbortSignal) => Promise<Brought>;

  /** Whether the storage has the new data in the place of the old, so that the new content's name has to be written first. */
  readonly isCutOver: (work: Work, effect: string, signal: AbortSignal) => Promise<boolean>;
  /**
   * Undoes `cutOver`, whether it came to its end or not. Done when the old data is what its content says. `isLastTry`: a refusal
   * that may pass counts as one for good. Refused for good: ActionFailed `RollbackFailed`, which names both data.
   */
  readonly giveBack: (work: Work, effect: string, isLastTry: boolean, signal: AbortSignal) => Promise<Outcome>;
  /**
   * Deletes what actions have brought or prepared on this database and no content of its status names. To be called while this
   * action has the turn, until it is gone.
   */
  readonly clear: (work: Work, signal: AbortSignal) => Promise<Discard>;
  /**
   * Deletes the bytes of a content, and those alone. To be called until they are gone. The caller sees to it that no other
   * content has the same bytes (`hasSameBytes`).
   */
  readonly discard: (place: Place, content: Bytes, signal: AbortSignal) => Promise<Discard>;
  /** Which of these snapshots, by their handles, something in the storage needs, and what, for people. Changes nothing. */
  readonly needed: (handles: readonly string[], signal: AbortSignal) => Promise<Told<ReadonlyMap<string, string>>>;
  /** For a database whose action is gone: which data the storage has, beside what its status says. */
  readonly standing: (place: Place, signal: AbortSignal) => Promise<Standing>;
}

/** The database, as the API server has it now, and the client of the run, whose calls are fenced. */
export interface Place {
  readonly client: Client;
  readonly vdb: PostgresVDB;
}
/** On whose behalf a store works there. */
export interface Work extends Place {
  readonly action: { readonly name: string; readonly uid: string };
  /** For a snapshot: how far the database's WAL had come just before; undefined: not known. */
  readonly walPosition?: string | undefined;
}

/** One effect as the journal knows it: see JournalStep. `intent` and `effect` are what is recorded of it. */
export interface Deed {
  readonly look: (work: Work, intent: string, signal: AbortSignal) => Promise<string | undefined>;
  readonly begin: (work: Work, intent: string, signal: AbortSignal) => Promise<string>;
  readonly end: (work: Work, effect: string, signal: AbortSignal) => Promise<Outcome>;
}

export const nothingToDo: Deed = {
  look: async (_, intent) => await Promise.resolve(intent),
  begin: async (_, intent) => await Promise.resolve(intent),
  end: async () => await Promise.resolve(done()),
};

/** A snapshot of the present data. */
export interface SnapshotDeed extends Deed {
  /** By which way it is taken, and what is there before. Changes nothing. Refused where the volume has no way. */
  readonly intend: (work: Work, signal: AbortSignal) => Promise<string>;
  /** Done once the snapshot is cut: what is written from then on is not in it. */
  readonly end: Deed["end"];
  /** As far as it is known by its effect alone. */
  readonly named: (work: Work, effect: string) => SnapshotStatus;
  /** Its names, once a database can use it; before that an outcome. */
  readonly ready: (work: Work, effect: string, signal: AbortSignal) => Promise<SnapshotStatus | Outcome>;
  /** Deletes it, cut or not. */
  readonly discard: (work: Work, effect: string, signal: AbortSignal) => Promise<Outcome>;
}

export const isOutcome = (answer: SnapshotStatus | Outcome): answer is Outcome => "kind" in answer;

/** A bookmark of a snapshot. Refusals say that the snapshot is kept. */
export interface BookmarkDeed extends Deed {
  /** Pure. */
  readonly intend: (name: string, snapshotId: string) => string;
}

/** What a refresh or rewind asks for. */
export interface Wanted {
  readonly change: "refresh" | "rewind";
  /** Undefined: the latest. For a rewind, the latest that was taken with the gate open. */
  readonly ref: RefreshSnapshotRef | RewindSnapshotRef | undefined;
}

export interface Chosen {
  /** What the journal keeps: enough to carry it out after a crash. Words without line ends, at most 1 KiB. */
  readonly text: string;
  /** For status.snapshot. */
  readonly snapshot: SnapshotStatus;
  /** Of a rewind: whether that state is known to be of data that was open. */
  readonly takenOpen?: boolean;
}

/** Where the bytes of a content are. */
export type Bytes = Pick<VdbContent, "claimName" | "handle" | "timeflow">;
/** What a new content says beside its id and origin. `takenOpen`: of a rewind, whether that state was taken with the gate open. */
export type Brought = Bytes & Pick<VdbContent, "dataTimestamp" | "takenOpen">;

/** Pure. Contents of one claim differ by their timeflow; where one does not say its own, they count as the same. */
export const hasSameBytes = (a: Bytes, b: Bytes | undefined): boolean =>
  b !== undefined &&
  a.claimName === b.claimName &&
  (a.timeflow === b.timeflow || a.timeflow === undefined || b.timeflow === undefined);

/** Pure: where bytes are that were changed in place: claim and volume are those of before. */
export const placeOf = ({ claimName, handle }: Bytes): Bytes => ({
  ...(claimName === undefined ? {} : { claimName }),
  ...(handle === undefined ? {} : { handle }),
});

/** Says what the storage keeps although nobody needs it any more, in an event. */
export function tellKept(run: Pick<Run<KubeObject>, "event">, left: Discard): void {
  if (left.kind === "kept") run.event("Normal", "PreviousKept", `data that is not needed stays for now: ${left.message}`);
}

/** What was previous until now makes room for what replaces it. Bytes that one of `kept` has stay. */
export async function makeRoom(
  store: Pick<ContentStore, "discard">,
  place: Place,
  kept: readonly (Bytes | undefined)[],
  signal: AbortSignal,
): Promise<Discard> {
  const { previous } = place.vdb.status;
  if (previous === undefined || kept.some((one) => hasSameBytes(previous, one))) return { kind: "gone" };
  return await store.discard(place, previous, signal);
}

/** What a person can do once an undo was refused for good. */
export const returnWords =
  "both stay until the next refresh or rewind has completed; return to the old data with a rewind whose snapshotRef.type is previous";

/**
 * - asRecorded: the data of status.content. A request that the action sent may still change that for `sureAfterSeconds`.
 * - givenBack: that of status.activeAction.replaced.
 * - changed: other data than either.
 * - unknown: the status does not say enough to know.
 * - underWay: it is being changed: look again soon.
 */
export type Standing =
  | { readonly kind: "asRecorded"; readonly sureAfterSeconds: number }
  | { readonly kind: "givenBack" }
  | { readonly kind: "changed"; readonly bytes: Bytes }
  | { readonly kind: "unknown" }
  | { readonly kind: "underWay"; readonly message: string };
