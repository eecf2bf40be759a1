import type { PostgresVDB } from "@vdb/api";
import { type DctConnection, type Engine, oneOf, type Vdb } from "@vdb/dct";
import { type Cache, type Clock, errorMessage, type Log } from "kube-runtime";
import { haveMoved, type StorageLevel, type StorageWatch, type VdbBytes } from "../storage.ts";
import { storageLevel } from "./storage-level.ts";

export interface StorageWatchOptions {
  readonly dct: Pick<DctConnection, "call">;
  readonly vdbs: Pick<Cache<PostgresVDB>, "list">;
  readonly log: Log;
  readonly clock: Clock;
  readonly intervalSeconds: number;
  /** How often the bytes of each database are read, which many databases make a larger answer. */
  readonly bytesSeconds: number;
}

/** Where a database lies, once that is known. */
const engineOf = ({ status }: PostgresVDB): string | undefined =>
  status.source?.type === "dct-source" ? status.source.engine : undefined;

/** DCT takes no more values in one filter. */
const idsAtOnce = 100;

/** The engines' storage. By an engine's name or host name: a manifest may have either. */
export function createStorageWatch({ dct, vdbs, log, clock, intervalSeconds, bytesSeconds }: StorageWatchOptions): StorageWatch {
  let engines: readonly Engine[] | undefined;
  const levels = new Map<string, StorageLevel | undefined>();
  let bytes: ReadonlyMap<string, VdbBytes> = new Map();
  let bytesReadAt = Number.NEGATIVE_INFINITY;
  const bytesOf = ({ status }: PostgresVDB): VdbBytes | undefined => bytes.get(status.delphixID ?? "");
  const levelOf = (name: string): StorageLevel | "unknown" | undefined => {
    if (engines === undefined) return "unknown";
    const engine = engines.find((one) => one.name === name || one.hostname === name);
    return engine === undefined ? undefined : levels.get(engine.id);
  };

  const look = async (enqueue: (vdb: PostgresVDB) => void, signal: AbortSignal): Promise<void> => {
    const placed = vdbs.list().filter((vdb) => engineOf(vdb) !== undefined);
    if (placed.length === 0) return;
    const before = new Map(placed.map((vdb) => [vdb, levelOf(engineOf(vdb) ?? "")]));
    engines = await dct.call(async (client) => await client.searchEngines(undefined, { signal }), signal);
    for (const engine of engines) levels.set(engine.id, storageLevel(engine, levels.get(engine.id)));
    for (const [vdb, level] of before) if (levelOf(engineOf(vdb) ?? "") !== level) enqueue(vdb);
    if (clock.monotonic() - bytesReadAt < bytesSeconds * 1000) return;
    bytes = await readBytes(dct, placed, signal);
    bytesReadAt = clock.monotonic();
    for (const vdb of placed) {
      const found = bytesOf(vdb);
      if (found !== undefined && haveMoved(vdb.status.ownBytes, found.own)) enqueue(vdb);
    }
  };

  return {
    of: (vdb) => {
      const engine = engineOf(vdb);
      const level = engine === undefined ? undefined : levelOf(engine);
      return engine === undefined || level === undefined ? undefined : { engine, level };
    },
    figures: () =>
      (engines ?? []).map(({ name, data_storage_capacity: capacityBytes, data_storage_used: usedBytes }) => ({
        engine: name,
        capacityBytes,
        usedBytes,
      })),
    bytesOf,
    trigger: {
      cacheName: "storage",
      waitForSync: async () => undefined,
      start: (enqueue) => {
        const stopping = new AbortController();
        const { signal } = stopping;
        const wake = ({ metadata: { namespace, name } }: PostgresVDB): void => enqueue({ namespace, name }, "resync");
        void (async () => {
          while (!signal.aborted) {
            // The databases that need DCT report its outage; the last known levels stay.
            await look(wake, signal).catch((error: unknown) => {
              if (!signal.aborted) log.debug({ error: errorMessage(error) }, "cannot read the engines' storage from DCT");
            });
            await clock.sleep(intervalSeconds * 1000, signal).catch(() => undefined);
          }
        })();
        return () => stopping.abort();
      },
    },
  };
}

async function readBytes(
  dct: StorageWatchOptions["dct"],
  placed: readonly PostgresVDB[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, VdbBytes>> {
  const ids = placed.flatMap(({ status }) => status.delphixID ?? []);
  const found: Vdb[] = [];
  for (let at = 0; at < ids.length; at += idsAtOnce) {
    const filter = oneOf("id", ids.slice(at, at + idsAtOnce));
    found.push(...(await dct.call(async (client) => await client.searchVdbs(filter, { signal }), signal)));
  }
  return new Map(found.flatMap(({ id, storage_size: own, size }) => bytesEntry(id, own, size)));
}

/** DCT may leave both figures out, and counts them at different moments: what is shared is never below zero. */
const bytesEntry = (id: string, own?: number, size?: number): readonly (readonly [string, VdbBytes])[] =>
  own === undefined || size === undefined ? [] : [[id, { own, shared: Math.max(0, size - own) }]];
