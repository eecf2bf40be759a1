/** What a snapshot takes from a standby: a clone of its data, as soon as all is in it that the source had. */
import { join } from "node:path";
import { setTimeout as sleepMs } from "node:timers/promises";
import { wordsOf } from "../failure.ts";
import { placeOfStandby } from "../pool/places.ts";
import { makeCheckpoint } from "./backup-head.ts";
import type { Source, SourcePosition } from "./source.ts";
import { hasAll, type Standby, verify } from "./standby.ts";
import type { StandbyServers } from "./standby-servers.ts";
import type { StandbyParts } from "./standbys.ts";
import { parsePosition } from "./wal-position.ts";
import { isWorthACheckpoint } from "./worth-a-checkpoint.ts";

export interface Wanted {
  /** A place in the pool. */
  readonly to: string;
  /** Where the snapshot before ends; undefined: there is none. */
  readonly former: bigint | undefined;
}

/** A clone of a standby's data: it holds all that the source had on disk at `position`, and nothing newer than `at`. */
export interface Taken extends SourcePosition {
  readonly at: Date;
}
export interface Unusable {
  readonly because: string;
}

/** A standby that neither receives nor replays anything for so long while it is behind is of no use for a snapshot. */
const patienceMs = 60_000;
const lookMs = 100;
/** A source with much to write goes on with it, and the snapshot without it. */
const checkpointMs = 30_000;
/** When it has stood still for so long on its way to a checkpoint, the snapshot is taken without; and it gets so long to bring its pages to disk. */
const settleMs = 30_000;

interface Around extends Pick<StandbyServers, "count"> {
  readonly isWanted: (one: Standby) => boolean;
  /** Where the source is. Throws when it does not answer. */
  readonly compare: (one: Standby, signal: AbortSignal) => Promise<SourcePosition>;
  readonly asking: <T>(one: Standby, work: (source: Source) => Promise<T>) => Promise<T>;
  readonly exclusive: <T>(id: string, work: () => Promise<T>) => Promise<T>;
  readonly startAnew: (one: Standby, between: () => Promise<void>, stopMs: number) => Promise<void>;
}

/** Answers `because` where only a copy helps. */
export function standbyClones({ pool, postgres, log }: StandbyParts, around: Around) {
  const { isWanted, compare, asking, exclusive, startAnew, count } = around;

  const isOfNoUse = (one: Standby): string | undefined =>
    isWanted(one) ? (one.lost ?? one.refused ?? one.held) : "its standby is not wanted any more";

  /** Lets the source make a checkpoint where the clone would else be larger than what has changed. Answers where the source is then. */
  const checkpointed = async (
    one: Standby,
    at: SourcePosition,
    { former }: Wanted,
    signal: AbortSignal,
  ): Promise<SourcePosition | undefined> => {
    const data = join(pool.pathOf(placeOfStandby(one.followed.id)), "data");
    const { redoLsn, walSegmentBytes, version } = await postgres.controlData(data, signal);
    if (!isWorthACheckpoint({ redo: parsePosition(redoLsn), position: at.position, former, walSegmentBytes })) return undefined;
    const limits = AbortSignal.any([signal, AbortSignal.timeout(checkpointMs)]);
    try {
      await asking(one, (source) => makeCheckpoint(postgres, Number(version), source, limits));
      return await compare(one, signal);
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ dSource: one.followed.name, because: wordsOf(error) }, "a snapshot is taken without a checkpoint of the source");
      return undefined;
    }
  };

  return async (one: Standby, wanted: Wanted, signal: AbortSignal): Promise<Taken | Unusable> => {
    const { followed } = one;
    const clone = (): Promise<void> => pool.clone(placeOfStandby(followed.id), wanted.to, "writable");
    const found = await compare(one, signal);
    const behindCheckpoint = isOfNoUse(one) === undefined ? await checkpointed(one, found, wanted, signal) : undefined;
    let [progress, movedMs] = ["", Date.now()];

    const take = async (): Promise<boolean> => {
      await verify(one);
      const settling = Date.now() - movedMs < settleMs ? behindCheckpoint : undefined;
      const { server } = one;
      if (server === undefined || !hasAll(one, settling ?? found)) return false;
      if (settling !== undefined) {
        if (!server.hasReplayed(settling.position)) return false;
        await sleepMs(lookMs); // for what it has yet to replay of the segment
        // At its end a server makes a restart point of the checkpoint: the clone has to replay no more than what follows.
        await startAnew(one, clone, settleMs);
        return true;
      }
      await server.paused(clone);
      count(followed, server); // what the snapshot has cost is told with it, not with the next pass
      return one.server !== undefined;
    };
    for (;;) {
      const because = isOfNoUse(one);
      if (because !== undefined) return { because };
      if (await exclusive(followed.id, take)) return { ...found, at: new Date() };
      const now = one.server?.progress() ?? "";
      if (now !== progress) [progress, movedMs] = [now, Date.now()];
      if (Date.now() - movedMs > patienceMs)
        return { because: `the standby receives nothing: ${one.trouble ?? "it does not say why"}` };
      await sleepMs(lookMs, undefined, { signal });
    }
  };
}
