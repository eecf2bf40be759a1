import { list, object, string, type Tag } from "@vdb/dct";
import { bookmarkById, snapshotsOfBookmark } from "../catalogue/bookmarks.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import { readySnapshot, vdbById } from "../catalogue/datasets.ts";
import { newId } from "../catalogue/places.ts";
import type { BookmarkRow } from "../catalogue/rows.ts";
import { Failure } from "../failure.ts";
import { badRequest, conflict, notFound } from "../refusal.ts";
import { defineJob } from "./define-job.ts";
import type { Result } from "./job-kind.ts";
import { readyVdb } from "./require-vdb.ts";
import { requireDataset, reserveSnapshot } from "./reserve-snapshot.ts";
import { dropUnfinished, takeSnapshot } from "./take-snapshot.ts";

const bookmarkParameters = object({ snapshotIds: list(string) }, {});

export interface WantedBookmark {
  readonly name: string;
  readonly vdbIds: readonly string[];
  readonly snapshotIds: readonly string[];
  readonly type: BookmarkRow["bookmark_type"];
  readonly tags: readonly Tag[];
  readonly expiration: string | undefined;
  readonly retainForever: boolean;
}

/**
 * BOOKMARK_CREATE: a name for snapshots that are there, or for one of each VDB as of now, which the job takes.
 * Intents: the bookmark's row and those of the snapshots to take, in state `creating`.
 */
export const createBookmark = defineJob({
  type: "BOOKMARK_CREATE",
  parameters: bookmarkParameters,
  holds: ({ snapshotIds }) => snapshotIds,
  reserve: ({ catalogue }, wanted: WantedBookmark) => {
    const snapshotIds = reserveSnapshots(catalogue, wanted);
    const id = newId(catalogue, "BOOKMARK");
    catalogue.run(
      `INSERT INTO bookmark (id, name, bookmark_type, state, tags, expiration, retain_forever, created)
       VALUES (?, ?, ?, 'creating', ?, ?, ?, ?)`,
      id,
      wanted.name,
      wanted.type,
      JSON.stringify(wanted.tags),
      wanted.expiration ?? null,
      wanted.retainForever ? 1 : 0,
      new Date().toISOString(),
    );
    for (const one of snapshotIds)
      catalogue.run("INSERT INTO bookmark_snapshot (bookmark_id, snapshot_id) VALUES (?, ?)", id, one);
    return { targetId: id, targetName: wanted.name, parameters: { snapshotIds } };
  },
  run: async (context) => {
    const { catalogue, job, failpoint } = context;
    const records: Result[] = [];
    for (const { id, state, dataset_id } of snapshotsOfBookmark(catalogue, job.target_id)) {
      if (state === "ready") continue;
      const vdb = vdbById(catalogue, dataset_id);
      if (vdb === undefined) throw new Failure(`VDB ${dataset_id} does not exist any more`);
      records.push(await takeSnapshot(context, { snapshotId: id, timeflowId: vdb.timeflow_id, vdbName: vdb.name }));
    }
    await failpoint("BOOKMARK_CREATE:snapshotted");
    return () => {
      for (const record of records) record();
      catalogue.run("UPDATE bookmark SET state = 'ready' WHERE id = ?", job.target_id);
    };
  },
  undo: async (context, { snapshotIds }) => {
    const { catalogue, job } = context;
    const drops = await Promise.all(snapshotIds.map(async (id) => await dropUnfinished(context, id)));
    return () => {
      for (const drop of drops) drop();
      catalogue.run("DELETE FROM bookmark WHERE id = ?", job.target_id);
    };
  },
});

function reserveSnapshots(catalogue: Catalogue, { vdbIds, snapshotIds }: WantedBookmark): readonly string[] {
  if ((vdbIds.length === 0) === (snapshotIds.length === 0))
    throw badRequest("body: must contain vdb_ids or snapshot_ids, with at least one id");
  const datasets = new Set<string>();
  const once = (datasetId: string): void => {
    if (datasets.has(datasetId)) throw badRequest(`body: names ${datasetId} twice; a bookmark has one snapshot of each dataset`);
    datasets.add(datasetId);
  };
  for (const id of snapshotIds) {
    const snapshot = readySnapshot(catalogue, id);
    if (snapshot === undefined) throw notFound("snapshot", id);
    requireDataset(catalogue, snapshot);
    once(snapshot.dataset_id);
  }
  const taken = vdbIds.map((id) => {
    const vdb = readyVdb(catalogue, id);
    once(vdb.id);
    return reserveSnapshot(catalogue, { dataset: vdb, kind: "VDB", version: vdb.database_version, madeBy: "bookmark" });
  });
  return [...snapshotIds, ...taken];
}

/** BOOKMARK_DELETE: the name goes, the snapshots stay; from now on they can be deleted by themselves. */
export const deleteBookmark = defineJob({
  type: "BOOKMARK_DELETE",
  parameters: object({}, {}),
  holds: () => [],
  reserve: ({ catalogue }, id: string) => {
    const bookmark = bookmarkById(catalogue, id);
    if (bookmark === undefined || bookmark.state === "deleting") throw notFound("bookmark", id);
    if (bookmark.state === "creating") throw conflict(`bookmark ${bookmark.name} is being made: wait until its job has ended`);
    catalogue.run("UPDATE bookmark SET state = 'deleting' WHERE id = ?", id);
    return { targetId: id, targetName: bookmark.name, parameters: {} };
  },
  run:
    async ({ catalogue, job }) =>
    () =>
      catalogue.run("DELETE FROM bookmark WHERE id = ?", job.target_id),
  undo:
    async ({ catalogue, job }) =>
    () =>
      catalogue.run("UPDATE bookmark SET state = 'ready' WHERE id = ?", job.target_id),
});
