/** The standbys of dSources that are kept fresh by streaming: one server for each, on `standbys/<dSource>` of the pool. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleepMs } from "node:timers/promises";
import type { Log } from "kube-runtime";
import type { Connection } from "../catalogue/rows.ts";
import { placeOfStandby } from "../pool/places.ts";
import { type Pool, requireFreeSpace, TooLittleSpace } from "../pool/pool.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { Postgres } from "./postgres.ts";
import type { Secrets } from "./secrets.ts";
import { positionOf, type SourcePosition, withSource } from "./source.ts";
import type { Said } from "./standby-lines.ts";
import { type StandbyServer, startStandby } from "./standby-server.ts";
import { type Freshness, freshness } from "./standby-freshness.ts";

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

/** A clone of a standby's data: it holds all that the source had on disk at `position`, and nothing newer than `at`. */
export interface Taken extends SourcePosition {
  readonly at: Date;
}
export interface Unusable {
  readonly because: string;
}

export interface Standbys extends AsyncDisposable {
  /** One pass: starts, restarts and stops what has to be, and removes what nobody wants any more. Call it every few seconds. */
  keep(wanted: readonly Followed[]): Promise<void>;
  /** A base backup that is not recovered yet, a folder of the pool, becomes the standby; an earlier one goes. */
  begin(followed: Followed, from: string): Promise<void>;
  /** This source is not streamed from, for that reason. */
  refuse(followed: Followed, because: string): Promise<void>;
  /** Throws when the source does not answer; `because` says why only a copy helps. */
  clone(followed: Followed, to: string, signal: AbortSignal): Promise<Taken | Unusable>;
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

interface Standby {
  followed: Followed;
  server?: StandbyServer;
  /** What its server was started with. */
  given?: string;
  isStreaming: boolean;
  /** Only another copy helps. */
  lost?: string;
  refused?: string;
  /** The pool is nearly full. */
  held?: string;
  trouble?: string;
  said?: string;
  readonly fresh: ReturnType<typeof freshness>;
  isAsking: boolean;
  askedMs: number;
  startedMs: number;
  /** Since it has run for a while: how often its server has ended by itself, and when the next one may start. */
  ends: number;
  startAfterMs: number;
}

/** So often the source is asked where it is: a connection that a log of connections shows. */
const askPauseMs = 15_000;
/** A standby that receives nothing for so long while it is behind is of no use for a snapshot. */
const patienceMs = 60_000;
const lookMs = 100;
/** A server that has run for so long has not ended because of what it replays. */
const longRunMs = 60_000;
const mostEnds = 5;
const firstPauseMs = 1_000;
/** Else it would be held and let go with each segment. */
const roomToGoOnBytes = 64 * 2 ** 20;

export function startStandbys(parts: StandbyParts): Standbys {
  const { pool, postgres, secrets, reserveBytes, log, streamCame } = parts;
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
    const fresh = freshness();
    const one: Standby = { followed, isStreaming: false, fresh, isAsking: false, askedMs: 0, startedMs: 0, ends: 0, startAfterMs: 0 };
    standbys.set(followed.id, one);
    return one;
  };

  const count = (one: Standby): void => {
    const bytes = one.server?.newBytes() ?? 0;
    if (bytes > 0) streamCame(one.followed, bytes);
  };

  const stop = async (one: Standby): Promise<void> => {
    const { server } = one;
    if (server === undefined) return;
    delete one.server;
    one.isStreaming = false;
    await server.stop();
    const bytes = server.newBytes();
    if (bytes > 0) streamCame(one.followed, bytes);
  };

  const hear = (one: Standby, said: Said): void => {
    if (said.kind === "lost") one.lost ??= said.because;
    if (said.kind === "trouble") [one.isStreaming, one.trouble] = [false, said.because];
    if (said.kind === "streaming") {
      one.isStreaming = true;
      delete one.trouble;
    }
  };

  /** Its server has ended, and nobody has asked for it. */
  const hasEnded = (one: Standby, lastLines: string): void => {
    delete one.server;
    one.isStreaming = false;
    one.trouble = `its server has ended: ${lastLines}`;
    const isFull = /no space left on device/iu.test(lastLines);
    one.ends = Date.now() - one.startedMs > longRunMs || isFull ? 1 : one.ends + 1;
    one.startAfterMs = Date.now() + firstPauseMs * 2 ** one.ends;
    if (one.ends >= mostEnds) one.lost ??= `its server ends again and again: ${lastLines}`;
    log.warn({ dSource: one.followed.name, lastLines }, "a standby has ended");
  };

  const start = async (one: Standby, given: string): Promise<void> => {
    const { followed } = one;
    const folder = pool.pathOf(placeOfStandby(followed.id));
    const tls = join(folder, "tls");
    await rm(tls, { recursive: true, force: true });
    await mkdir(tls, { mode: 0o711 });
    [one.given, one.startedMs] = [given, Date.now()];
    const started = Promise.withResolvers<void>();
    const life = withSource(followed.connection, secrets, tls, async (source) => {
      const onSaid = (said: Said): void => hear(one, said);
      const server = await startStandby(postgres, source, folder, { signal: closing.signal, log, onSaid });
      one.server = server;
      started.resolve();
      const { lastLines } = await server.ended;
      if (one.server === server) hasEnded(one, lastLines);
    });
    life.then(started.resolve, started.reject);
    await started.promise.catch((error: unknown) => {
      one.trouble = wordsOf(error);
      one.startAfterMs = Date.now() + askPauseMs;
    });
  };

  const ask = async ({ followed, fresh }: Standby, signal: AbortSignal): Promise<SourcePosition> => {
    const folder = await mkdtemp(join(pool.pathOf(placeOfStandby(followed.id)), "ask-"));
    try {
      const askedMs = Date.now();
      const found = await withSource(followed.connection, secrets, folder, (source) => positionOf(postgres, source, signal));
      fresh.answered(askedMs, found);
      return found;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  /** Asks, and finds out whether the source is still in the history that the standby knows. */
  const compare = async (one: Standby, signal: AbortSignal): Promise<SourcePosition> => {
    const { server } = one;
    const before = server?.received();
    const found = await ask(one, signal);
    if (before !== undefined && server?.timeline() === found.timeline && found.position < before)
      one.lost ??= "the source has gone back to an earlier position";
    return found;
  };

  const look = (one: Standby): void => {
    count(one);
    const received = one.server?.received();
    if (received !== undefined) one.fresh.received(received);
    if (one.isAsking || Date.now() - one.askedMs < askPauseMs || one.server === undefined) return;
    [one.isAsking, one.askedMs] = [true, Date.now()];
    const failed = (error: unknown): void => {
      if (!one.isStreaming) one.trouble = wordsOf(error);
    };
    void compare(one, closing.signal).catch(failed).finally(() => void (one.isAsking = false));
  };

  const isShort = async (one: Standby): Promise<string | undefined> => {
    const more = one.held === undefined ? 0 : roomToGoOnBytes;
    const what = `the standby of dSource ${one.followed.name}`;
    try {
      await requireFreeSpace(pool, await reserveBytes(), more, what);
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
    const short = isThere ? await isShort(one) : undefined;
    if (short === undefined) delete one.held;
    else one.held = short;
    const mayRun = isThere && one.lost === undefined && one.refused === undefined && one.held === undefined;
    if (!mayRun || (one.given !== undefined && one.given !== given)) {
      const hasChanged = one.given !== given;
      await stop(one);
      if (hasChanged) one.startAfterMs = 0;
    }
    if (mayRun && one.server === undefined && Date.now() >= one.startAfterMs) await start(one, given);
    look(one);
    tell(one);
  };

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
    clone: async (followed, to, signal) => {
      const one = standbys.get(followed.id);
      if (one === undefined || !(await pool.has(placeOfStandby(followed.id)))) return { because: "it has no standby yet" };
      const wanted = await compare(one, signal);
      let [progress, patience] = [-1n, Date.now() + patienceMs];
      for (;;) {
        const final = one.lost ?? one.refused ?? one.held;
        if (final !== undefined) return { because: final };
        const taken = await exclusive(followed.id, async () => {
          if (!hasAll(one, wanted)) return false;
          await one.server?.paused(() => pool.clone(placeOfStandby(followed.id), to, "writable"));
          return one.server !== undefined;
        });
        if (taken) return { ...wanted, at: new Date() };
        const received = one.server?.received() ?? -1n;
        if (received > progress) [progress, patience] = [received, Date.now() + patienceMs];
        if (Date.now() > patience) return { because: `the standby receives nothing: ${one.trouble ?? "it does not say why"}` };
        await sleepMs(lookMs, undefined, { signal });
      }
    },
    restart: (followed) =>
      exclusive(followed.id, async () => {
        const one = standbyOf(followed);
        await stop(one);
        await start(one, await fingerprintOf(followed.connection, secrets));
      }),
    lose: (followed, because) => void (standbyOf(followed).lost ??= because),
    end: (id) => exclusive(id, () => end(id)),
    stateOf: (id) => {
      const one = standbys.get(id);
      if (one === undefined) return undefined;
      const because = becauseOf(one);
      return { isStreaming: one.isStreaming, ...one.fresh.now(Date.now()), ...(because === undefined ? {} : { because }) };
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort(new Error("the engine is stopping"));
      await Promise.all([...standbys.values()].map((one) => exclusive(one.followed.id, () => stop(one))));
    },
  };
}

/** Whether a clone of its data, recovered, would hold all this. */
function hasAll({ server }: Standby, { position, timeline }: SourcePosition): boolean {
  if (server === undefined || !server.isConsistent() || server.timeline() !== timeline) return false;
  const received = server.received();
  return received !== undefined && received >= position;
}

function becauseOf({ lost, refused, held, trouble, isStreaming }: Standby): string | undefined {
  if (refused !== undefined) return `${refused}; until then each snapshot copies the source`;
  if (lost !== undefined) return `${lost}; the next snapshot copies the source and begins another standby`;
  return held ?? (isStreaming ? undefined : trouble);
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
