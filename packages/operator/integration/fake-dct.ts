/** A DCT with one engine, one dSource, one group and one environment, in memory; the test takes it up and down. */
import { type DctClient, DctError, type Filter } from "@vdb/dct";

export interface FakeDct {
  up: boolean;
  readonly sources: Set<string>;
  readonly client: DctClient;
  calls: number;
}

const refused = async (): Promise<never> => {
  throw new DctError("refused", "not played here");
};

export function fakeDct(): FakeDct {
  const dct = { up: true, sources: new Set(["production"]), calls: 0 };
  const answer =
    <T>(items: () => readonly T[]) =>
    async (filter?: Filter): Promise<readonly T[]> => {
      dct.calls += 1;
      if (!dct.up) throw new DctError("unreachable", "connect ECONNREFUSED 10.0.0.1:443");
      const wanted = filter === undefined ? undefined : /name EQ ['"]([^'"]*)['"]/u.exec(String(filter))?.[1];
      return items().filter(
        (item) => wanted === undefined || (typeof item === "object" && item !== null && "name" in item && item.name === wanted),
      );
    };
  const client: DctClient = {
    searchEngines: answer(() => [{ id: "1", name: "delphix-engine", hostname: "delphix-engine" }]),
    searchEnvironments: answer(() => [{ id: "1-UNIX-1", name: "dev-env", engine_id: "1" }]),
    searchGroups: answer(() => [{ id: "1-GROUP-1", name: "Untitled", engine_id: "1" }]),
    searchDSources: answer(() =>
      [...dct.sources].map((name) => ({ id: `1-APPDATA_CONTAINER-${name}`, name, engine_id: "1", size: 3 * 2 ** 30 + 1 })),
    ),
    searchSnapshots: answer(() => [{ id: "1-APPDATA_SNAPSHOT-1", timestamp: "2026-01-01T00:00:00Z", version: "16.2" }]),
    searchVdbs: answer(() => []),
    searchBookmarks: answer(() => []),
    searchJobs: answer(() => []),
    getEngine: async () => undefined,
    getEnvironment: async () => undefined,
    getGroup: async () => undefined,
    getDSource: async () => undefined,
    getVdb: async () => undefined,
    getSnapshot: async () => undefined,
    getBookmark: async () => undefined,
    getJob: async () => undefined,
    provisionBySnapshot: refused,
    deleteVdb: refused,
    enableVdb: refused,
    disableVdb: refused,
    snapshotVdb: refused,
    deleteSnapshot: refused,
    linkAppData: refused,
    snapshotDSource: refused,
    deleteDSource: refused,
    [Symbol.asyncDispose]: async () => undefined,
  };
  return Object.assign(dct, { client });
}
