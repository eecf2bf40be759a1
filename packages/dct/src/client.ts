import { probeBasePath } from "./base-path.ts";
import {
  type Bookmark,
  type DSource,
  decodeBookmark,
  decodeDSource,
  decodeSnapshot,
  decodeTimeflow,
  decodeVdb,
  type Snapshot,
  type Timeflow,
  type Vdb,
} from "./contract/datasets.ts";
import { decodeJob, type Job } from "./contract/job.ts";
import {
  type DatasetGroup,
  decodeEngine,
  decodeEnvironment,
  decodeGroup,
  type Engine,
  type Environment,
  type Tag,
} from "./contract/places.ts";
import type {
  BookmarkPoint,
  CreateBookmarkParameters,
  LinkAppDataParameters,
  ProvisionBySnapshotParameters,
  RefreshByTimestampParameters,
  SnapshotPoint,
  TimestampPoint,
} from "./contract/requests.ts";
import { type Decoder, object, string } from "./decode.ts";
import type { Filter } from "./filter.ts";
import { createPages } from "./pages.ts";
import { createTransport, type EndedCall } from "./transport.ts";

export interface DctClientOptions {
  /** With or without the base path; without one, /v3 and /dct/v3 are tried. */
  readonly url: string;
  readonly apiKey: string;
  readonly caPem?: string;
  readonly timeoutSeconds?: number;
  readonly connectTimeoutSeconds?: number;
  /** Asked right before each call is sent. What it throws is thrown as it is, and the call is not sent. */
  readonly beforeSend?: () => void;
  /** Told of each call that was sent, however it ended: for metrics. */
  readonly onCall?: (ended: EndedCall) => void;
}

export interface WithSignal {
  readonly signal?: AbortSignal | undefined;
}

export interface SearchOptions extends WithSignal {
  /** At most so many objects; left out: all of them, page after page. */
  readonly limit?: number;
  /** A field name, `-` before it for descending. */
  readonly sort?: string;
}

type Search<T> = (filter?: Filter, options?: SearchOptions) => Promise<readonly T[]>;
/** Undefined when DCT says that there is no such object, and is itself there. */
type Get<T> = (id: string, options?: WithSignal) => Promise<T | undefined>;
type Start = (id: string, options?: WithSignal) => Promise<{ readonly jobId: string }>;
type StartWith<P> = (id: string, parameters: P, options?: WithSignal) => Promise<{ readonly jobId: string }>;

/**
 * The part of DCT that this project uses. Every call that changes something is made once and throws `DctError`; what to
 * repeat is the caller's decision. The calls that start something answer with the id of their job: see `waitForJob`.
 */
export interface DctClient extends AsyncDisposable {
  readonly searchEngines: Search<Engine>;
  readonly searchEnvironments: Search<Environment>;
  readonly searchGroups: Search<DatasetGroup>;
  readonly searchDSources: Search<DSource>;
  readonly searchVdbs: Search<Vdb>;
  readonly searchSnapshots: Search<Snapshot>;
  readonly searchTimeflows: Search<Timeflow>;
  readonly searchBookmarks: Search<Bookmark>;
  readonly searchJobs: Search<Job>;

  readonly getEngine: Get<Engine>;
  readonly getEnvironment: Get<Environment>;
  readonly getGroup: Get<DatasetGroup>;
  readonly getDSource: Get<DSource>;
  readonly getVdb: Get<Vdb>;
  readonly getSnapshot: Get<Snapshot>;
  readonly getTimeflow: Get<Timeflow>;
  readonly getBookmark: Get<Bookmark>;
  readonly getJob: Get<Job>;

  provisionBySnapshot(
    parameters: ProvisionBySnapshotParameters,
    options?: WithSignal,
  ): Promise<{ readonly vdbId: string; readonly jobId: string }>;
  readonly deleteVdb: Start;
  readonly enableVdb: Start;
  readonly disableVdb: Start;
  readonly snapshotVdb: Start;
  /**
   * What gives a VDB other data. `conflict`: it is in use, or another such job of it runs. What it had stays on its previous timeflow.
   * A refresh takes data of the parent; the embedded engine also takes the VDB's own snapshots.
   */
  readonly refreshBySnapshot: StartWith<SnapshotPoint>;
  readonly refreshByTimestamp: StartWith<RefreshByTimestampParameters>;
  readonly refreshFromBookmark: StartWith<BookmarkPoint>;
  /** To the VDB's own data of earlier. */
  readonly rollbackBySnapshot: StartWith<SnapshotPoint>;
  readonly rollbackByTimestamp: StartWith<TimestampPoint>;
  readonly rollbackFromBookmark: StartWith<BookmarkPoint>;
  /** Back to `previous_timeflow_id`. `conflict`: there is none (any more). Not in DCT 3.5.0. */
  readonly undoRefresh: Start;
  readonly switchTimeflow: StartWith<{ readonly timeflow_id: string }>;
  /** `conflict`: it is the current one, or in use. Snapshots and clones of it stay on the embedded engine. */
  readonly deleteTimeflow: Start;
  createBookmark(
    parameters: CreateBookmarkParameters,
    options?: WithSignal,
  ): Promise<{ readonly bookmark: Bookmark; readonly jobId: string }>;
  /** Its snapshots stay. */
  readonly deleteBookmark: Start;
  /** Adds tags to those that a VDB has. */
  tagVdb(id: string, tags: readonly Tag[], options?: WithSignal): Promise<void>;
  /** Takes every tag with this key off a VDB; none there: nothing to do. */
  untagVdb(id: string, key: string, options?: WithSignal): Promise<void>;
  readonly deleteSnapshot: Start;
  /**
   * Nobody wants the job any more. The embedded engine undoes it; another DCT may stop to look at it while its engine carries on, so abandon
   * only what has not begun. `conflict`: it has ended.
   */
  abandonJob(id: string, options?: WithSignal): Promise<void>;
  linkAppData(
    parameters: LinkAppDataParameters,
    options?: WithSignal,
  ): Promise<{ readonly dsourceId: string; readonly jobId: string }>;
  readonly snapshotDSource: Start;
  readonly deleteDSource: Start;
}

const decodeStarted = object({ job: decodeJob }, {});
const decodeProvisioned = object({ job: decodeJob, vdb_id: string }, {});
const decodeBookmarked = object({ job: decodeJob, bookmark: decodeBookmark }, {});
const decodeLinked = object({ job: decodeJob, dsource_id: string }, {});

export function createDctClient({
  url,
  apiKey,
  caPem,
  timeoutSeconds = 30,
  connectTimeoutSeconds = 3,
  beforeSend = () => undefined,
  onCall = () => undefined,
}: DctClientOptions): DctClient {
  const { origin, pathname } = new URL(url);
  const transport = createTransport({
    origin,
    apiKey,
    timeoutSeconds,
    connectTimeoutSeconds,
    beforeSend,
    onCall,
    ...(caPem === undefined ? {} : { caPem }),
  });
  const pages = createPages(transport, (signal) => probeBasePath(transport, pathname, signal));

  const search =
    <T>(path: string, decode: Decoder<T>): Search<T> =>
    (filter, options = {}) =>
      pages.find(path, decode, filter, options);
  const getter =
    <T>(path: string, decode: Decoder<T>): Get<T> =>
    (id, { signal } = {}) =>
      pages.get(`${path}/${encodeURIComponent(id)}`, decode, signal);
  const start =
    (path: string, action: string): Start =>
    async (id, { signal } = {}) => {
      const { job } = await pages.send("POST", `${path}/${encodeURIComponent(id)}/${action}`, {}, decodeStarted, signal);
      return { jobId: job.id };
    };

  const startWith =
    <P>(path: string, action: string): StartWith<P> =>
    async (id, parameters, { signal } = {}) => {
      const { job } = await pages.send("POST", `${path}/${encodeURIComponent(id)}/${action}`, parameters, decodeStarted, signal);
      return { jobId: job.id };
    };
  const remove =
    (path: string): Start =>
    async (id, { signal } = {}) => {
      const { job } = await pages.send("DELETE", `${path}/${encodeURIComponent(id)}`, undefined, decodeStarted, signal);
      return { jobId: job.id };
    };

  return {
    searchEngines: search("/management/engines", decodeEngine),
    searchEnvironments: search("/environments", decodeEnvironment),
    searchGroups: search("/groups", decodeGroup),
    searchDSources: search("/dsources", decodeDSource),
    searchVdbs: search("/vdbs", decodeVdb),
    searchSnapshots: search("/snapshots", decodeSnapshot),
    searchTimeflows: search("/timeflows", decodeTimeflow),
    searchBookmarks: search("/bookmarks", decodeBookmark),
    searchJobs: search("/jobs", decodeJob),

    getEngine: getter("/management/engines", decodeEngine),
    getEnvironment: getter("/environments", decodeEnvironment),
    getGroup: getter("/groups", decodeGroup),
    getDSource: getter("/dsources", decodeDSource),
    getVdb: getter("/vdbs", decodeVdb),
    getSnapshot: getter("/snapshots", decodeSnapshot),
    getTimeflow: getter("/timeflows", decodeTimeflow),
    getBookmark: getter("/bookmarks", decodeBookmark),
    getJob: getter("/jobs", decodeJob),

    provisionBySnapshot: async (parameters, { signal } = {}) => {
      const { job, vdb_id } = await pages.send("POST", "/vdbs/provision_by_snapshot", parameters, decodeProvisioned, signal);
      return { vdbId: vdb_id, jobId: job.id };
    },
    deleteVdb: start("/vdbs", "delete"),
    enableVdb: start("/vdbs", "enable"),
    disableVdb: start("/vdbs", "disable"),
    snapshotVdb: start("/vdbs", "snapshots"),
    tagVdb: async (id, tags, { signal } = {}) => {
      await pages.send("POST", `/vdbs/${encodeURIComponent(id)}/tags`, { tags }, object({}, {}), signal);
    },
    untagVdb: async (id, key, { signal } = {}) => {
      await pages.send("POST", `/vdbs/${encodeURIComponent(id)}/tags/delete`, { key }, object({}, {}), signal);
    },
    deleteSnapshot: remove("/snapshots"),
    abandonJob: async (id, { signal } = {}) => {
      await pages.send("POST", `/jobs/${encodeURIComponent(id)}/abandon`, {}, object({}, {}), signal);
    },
    refreshBySnapshot: startWith("/vdbs", "refresh_by_snapshot"),
    refreshByTimestamp: startWith("/vdbs", "refresh_by_timestamp"),
    refreshFromBookmark: startWith("/vdbs", "refresh_from_bookmark"),
    rollbackBySnapshot: startWith("/vdbs", "rollback_by_snapshot"),
    rollbackByTimestamp: startWith("/vdbs", "rollback_by_timestamp"),
    rollbackFromBookmark: startWith("/vdbs", "rollback_from_bookmark"),
    undoRefresh: start("/vdbs", "undo_refresh"),
    switchTimeflow: startWith("/vdbs", "switch_timeflow"),
    deleteTimeflow: remove("/timeflows"),
    createBookmark: async (parameters, { signal } = {}) => {
      const { job, bookmark } = await pages.send("POST", "/bookmarks", parameters, decodeBookmarked, signal);
      return { bookmark, jobId: job.id };
    },
    deleteBookmark: remove("/bookmarks"),
    linkAppData: async (parameters, { signal } = {}) => {
      const { job, dsource_id } = await pages.send("POST", "/dsources/appdata", parameters, decodeLinked, signal);
      return { dsourceId: dsource_id, jobId: job.id };
    },
    snapshotDSource: start("/dsources", "snapshots"),
    deleteDSource: async (id, { signal } = {}) => {
      const job = await pages.send("POST", "/dsources/delete", { dsource_id: id }, decodeJob, signal);
      return { jobId: job.id };
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}
