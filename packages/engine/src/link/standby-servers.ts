/** Starts and stops the servers of standbys. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { wordsOf } from "../failure.ts";
import { placeOfStandby } from "../pool/places.ts";
import { withSource } from "./source.ts";
import { hasEnded, hear, type Standby } from "./standby.ts";
import type { Said } from "./standby-lines.ts";
import { type StandbyServer, startStandby } from "./standby-server.ts";
import type { Followed, StandbyParts } from "./standbys.ts";

/** So often the source is asked where it is: a connection that a log of connections shows. */
export const askPauseMs = 15_000;
/** A server that ends because of what it has said has ended by then, and counts as one that did. */
const endingMs = 1_000;
/** It writes its pages to disk first. */
const stopMs = 10_000;

export interface StandbyServers {
  /** Its trouble says why it could not be started. */
  readonly start: (one: Standby, given: string) => Promise<void>;
  readonly stop: (one: Standby, withinMs?: number) => Promise<void>;
  /** Tells what the source has sent since it was counted last. */
  readonly count: (followed: Followed, server: StandbyServer) => void;
}

interface Around {
  readonly signal: AbortSignal;
  /** One thing after the other with each standby. */
  readonly exclusive: <T>(id: string, work: () => Promise<T>) => Promise<T>;
}

export function standbyServers(
  { pool, postgres, secrets, log, streamCame }: StandbyParts,
  { signal, exclusive }: Around,
): StandbyServers {
  const count = (followed: Followed, server: StandbyServer): void => {
    const bytes = server.newBytes();
    if (bytes > 0) streamCame(followed, bytes);
  };

  const stop = async (one: Standby, withinMs = stopMs): Promise<void> => {
    const { server } = one;
    if (server === undefined) return;
    delete one.server;
    one.isStreaming = false;
    await server.stop(withinMs);
    count(one.followed, server);
  };

  const start = async (one: Standby, given: string): Promise<void> => {
    const { followed } = one;
    const folder = pool.pathOf(placeOfStandby(followed.id));
    const tls = join(folder, "tls");
    await rm(tls, { recursive: true, force: true });
    await mkdir(tls, { mode: 0o711 });
    [one.given, one.startedMs, one.isVerified, one.isDoubtful] = [given, Date.now(), false, true];
    const started = Promise.withResolvers<void>();
    const life = withSource(followed.connection, secrets, tls, async (source) => {
      const stopThis = (): Promise<void> =>
        exclusive(followed.id, async () => {
          if (one.server === server) await stop(one);
        });
      const onSaid = (said: Said): void => {
        hear(one, one.judge(said));
        // It could connect again by itself, to whatever is there then: only its start looks whether that is the same source.
        if (said.kind === "trouble" || said.kind === "parted") setTimeout(() => void stopThis(), endingMs).unref();
      };
      const server = await startStandby(postgres, source, folder, { signal, log, onSaid });
      one.server = server;
      started.resolve();
      const { lastLines } = await server.ended;
      if (one.server !== server) return;
      hasEnded(one, lastLines, Date.now());
      log.warn({ dSource: followed.name, lastLines }, "a standby has ended");
    });
    life.then(started.resolve, started.reject);
    await started.promise.catch((error: unknown) => {
      one.trouble = wordsOf(error);
      one.startAfterMs = Date.now() + askPauseMs;
    });
  };

  return { start, stop, count };
}
