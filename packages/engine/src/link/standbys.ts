/** The standbys of dSources that are kept fresh by streaming: one server for each, on `standbys/<dSource>` of the pool. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "kube-runtime";
import type { Connection } from "../catalogue/rows.ts";
import { wordsOf } from "../failure.ts";
import { placeOfStandby } from "../pool/places.ts";
import { type Pool, requireFreeSpace, TooLittleSpace } from "../pool/pool.ts";
import { standbyClones, type Taken, type Unusable, type Wanted } from "./clone-standby.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { Postgres } from "./postgres.ts";
import type { Secrets } from "./secrets.ts";
import { type Source, type SourcePosition, type SourceState, stateOf, withSource } from "./source.ts";
import { becauseOf, certainEnd, newStandby, type Standby, verify } from "./standby.ts";
import type { Freshness } from "./standby-freshness.ts";
import { askPauseMs, standbyServers } from "./standby-servers.ts";

/** A dSource that a standby is wanted for. */
export interface Followed {
  readonly id: string;
  readonly name: string;
  readonly connection: Connection;
}

/** What people are told of it. */
export interface StreamState extends Freshness {
  readonly isStreaming: boolean;
  /** Why it does not stream, and what is needed. */
  readonly because?: string;
}

export interface Standbys extends AsyncDisposable {
  /** One pass: starts, restarts and stops what has to be, and removes what nobody wants any more. Call it every few seconds. */
  keep(wanted: readonly Followed[]): Promise<void>;
  /** A base backup that is not recovered yet, a folder of the pool, becomes the standby; an earlier one goes. */
  begin(followed: Followed, from: string): Promise<void>;
  /** This source is not streamed from, for that reason. */
  refuse(followed: Followed, because: string): Promise<void>;
  /** Throws when the source does not answer; `because` says why only a copy helps. */
  clone(followed: Followed, wanted: Wanted, signal: AbortSignal): Promise<Taken | Unusable>;
  /** Starts its server anew, which then knows by itself how far it is. */
  restart(followed: Followed): Promise<void>;
  /** It cannot be used any more; the next snapshot begins another one. */
  lose(followed: Followed, because: string): void;
  /** Stops it and removes its data. */
  end(id: string): Promise<void>;
  /** Undefined: it is not followed. */
  stateOf(id: string): StreamState | undefined;
}

export interface StandbyParts {
  readonly pool: Pool;
  readonly postgres: Postgres;
  readonly secrets: Secrets;
  readonly reserveBytes: () => Promise<number>;
  readonly log: Log;
  /** Told of what the source has sent. */
  readonly streamCame: (followed: Followed, bytes: number) => void;
}

/** For so long a source that has answered is believed to be there. */
const answerMs = 10_000;
/** Else it would be held and let go with each segment. */
const roomToGoOnBytes = 64 * 2 ** 20;

export function startStandbys(parts: StandbyParts): Standbys {
  const { pool, postgres, secrets, reserveBytes, log } = parts;
  const standbys = new Map<string, Standby>();
  const busy = new Map<string, Promise<unknown>>();
  const closing = new AbortController();

  const exclusive = async <T>(id: string, work: () => Promise<T>): Promise<T> => {
    const mine = (busy.get(id) ?? Promise.resolve()).catch(() => undefined).then(work);
    busy.set(id, mine);
    try {
      return await mine;
    } finally {
      if (busy.get(id) === mine) busy.delete(id);
    }
  };

  const standbyOf = (followed: Followed): Standby => {
    const known = standbys.get(followed.id);
    if (known !== undefined) {
      known.followed = followed;
      return known;
    }
    const one = newStandby(followed);
    standbys.set(followed.id, one);
    return one;
  };

  const { start, stop, count } = standbyServers(parts, { signal: closing.signal, exclusive });

  const asking = async <T>({ followed }: Standby, work: (source: Source) => Promise<T>): Promise<T> => {
    const folder = await mkdtemp(join(pool.pathOf(placeOfStandby(followed.id)), "ask-"));
    try {
      return await withSource(followed.connection, secrets, folder, work);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  const ask = async (one: Standby, signal: AbortSignal): Promise<SourceState> => {
    const askedMs = Date.now();
    const found = await asking(one, (source) => stateOf(postgres, source, signal));
    one.fresh.answered(askedMs, found);
    one.answeredMs = Date.now();
    return found;
  };

  /** Asks, and finds out whether the source is still in the history that the standby knows. */
  const compare = async (one: Standby, signal: AbortSignal): Promise<SourcePosition> => {
    const before = certainEnd(one);
    const found = await ask(one, signal);
    one.refused = found.obstacle;
    if (before?.timeline === found.timeline && found.position < before.position)
      one.lost ??= "the source has gone back to an earlier position";
    return found;
  };

  const look = (one: Standby, mayRun: boolean): void => {
    if (one.server !== undefined) count(one.followed, one.server);
    noteReceived(one);
    if (!mayRun || one.isAsking || (one.server !== undefined && Date.now() - one.askedMs < askPauseMs)) return;
    [one.isAsking, one.askedMs] = [true, Date.now()];
    const failed = (error: unknown): void => {
      if (!one.isStreaming) one.trouble = wordsOf(error);
    };
    void compare(one, closing.signal)
      .catch(failed)
      .finally(() => void (one.isAsking = false));
  };

  /** Waits for what was removed once, and not in each pass. */
  const shortOf = async (one: Standby): Promise<string | undefined> => {
    const what = `the standby of dSource ${one.followed.name}`;
    const more = one.held === undefined ? 0 : roomToGoOnBytes;
    const reserve = await reserveBytes();
    if (one.held !== undefined && (await pool.freeBytes()) < reserve + more) return one.held;
    try {
      await requireFreeSpace(pool, reserve, more, what);
      return undefined;
    } catch (error) {
      if (error instanceof TooLittleSpace) return error.message;
      throw error;
    }
  };

  const tell = (one: Standby): void => {
    const because = becauseOf(one) ?? "";
    if (because === (one.said ?? "")) return;
    one.said = because;
    const { name } = one.followed;
    if (because !== "") log.warn({ dSource: name, because }, "a dSource is not streamed");
    else if (one.isStreaming) log.info({ dSource: name }, "a dSource is streamed");
  };

  const keepOne = async (followed: Followed): Promise<void> => {
    const one = standbyOf(followed);
    const isThere = await pool.has(placeOfStandby(followed.id));
    const given = await fingerprintOf(followed.connection, secrets);
    const short = isThere ? await shortOf(one) : undefined;
    if (short === undefined) delete one.held;
    else one.held = short;
    const mayRun = isThere && one.lost === undefined && one.refused === undefined && one.held === undefined;
    if (!mayRun || (one.given !== undefined && one.given !== given)) {
      const hasChanged = one.given !== given;
      await stop(one);
      if (hasChanged) one.startAfterMs = 0;
    }
    const hasAnswered = Date.now() - one.answeredMs < answerMs;
    if (mayRun && hasAnswered && one.server === undefined && Date.now() >= one.startAfterMs) await start(one, given);
    await verify(one);
    look(one, mayRun);
    tell(one);
  };

  /** What is done between finds its data as a clean end has left them. When that throws, the next pass starts it. */
  const startAnew = async (one: Standby, between = async (): Promise<void> => undefined, stopMs?: number): Promise<void> => {
    await stop(one, stopMs);
    await between();
    await start(one, await fingerprintOf(one.followed.connection, secrets));
  };

  const isWanted = (one: Standby): boolean => standbys.get(one.followed.id) === one;
  const clone = standbyClones(parts, { isWanted, compare, asking, exclusive, startAnew, count });

  const end = async (id: string): Promise<void> => {
    const one = standbys.get(id);
    if (one !== undefined) await stop(one);
    standbys.delete(id);
    await pool.remove(placeOfStandby(id));
  };

  return {
    keep: async (wanted) => {
      const ids = new Set(wanted.map(({ id }) => id));
      const known = new Set([...standbys.keys(), ...(await pool.list("standbys"))]);
      const unwanted = [...known].filter((id) => !ids.has(id));
      for (const id of unwanted) if (!busy.has(id)) await exclusive(id, () => end(id));
      // What a job does with one may take a while; the others do not wait for it.
      for (const one of wanted) if (!busy.has(one.id)) await exclusive(one.id, () => keepOne(one));
    },
    begin: (followed, from) =>
      exclusive(followed.id, async () => {
        await end(followed.id);
        await pool.clone(from, placeOfStandby(followed.id), "writable");
        await start(standbyOf(followed), await fingerprintOf(followed.connection, secrets));
      }),
    refuse: (followed, because) =>
      exclusive(followed.id, async () => {
        await end(followed.id);
        const one = standbyOf(followed);
        one.refused = because;
        tell(one);
      }),
    clone: async (followed, wanted, signal) =>
      (await pool.has(placeOfStandby(followed.id)))
        ? // After a restart of the engine this may be asked before the first pass has started its server.
          await clone(standbyOf(followed), wanted, signal)
        : { because: "it has no standby yet" },
    restart: (followed) => exclusive(followed.id, () => startAnew(standbyOf(followed))),
    lose: (followed, because) => void (standbyOf(followed).lost ??= because),
    end: (id) => exclusive(id, () => end(id)),
    stateOf: (id) => {
      const one = standbys.get(id);
      if (one === undefined) return undefined;
      noteReceived(one);
      const because = becauseOf(one);
      return { isStreaming: one.isStreaming, ...one.fresh.now(Date.now()), ...(because === undefined ? {} : { because }) };
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort(new Error("the engine is stopping"));
      await Promise.all([...standbys.values()].map((one) => exclusive(one.followed.id, () => stop(one))));
    },
  };
}

function noteReceived({ server, fresh }: Standby): void {
  const received = server?.received();
  if (received !== undefined) fresh.received(received);
}
