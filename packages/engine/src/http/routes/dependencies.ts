import { bookmarksOn } from "../../catalogue/bookmarks.ts";
import type { Catalogue } from "../../catalogue/catalogue.ts";
import { allVdbs, readySnapshot, readySnapshots } from "../../catalogue/datasets.ts";
import { existingVdb } from "../../jobs/require-vdb.ts";
import { unfinishedJobs } from "../../jobs/submit.ts";
import { notFound } from "../../refusal.ts";
import { ok, type Route, reading } from "../router.ts";
import type { ApiState } from "../state.ts";

interface Dependency {
  readonly object_id: string;
  readonly object_type: "VDB" | "SNAPSHOT" | "BOOKMARK" | "JOB";
  readonly object_name: string;
  readonly locked: boolean;
  readonly parents: readonly string[];
}

/**
 * What has to go before an object can be deleted (`prerequisite_actions`), and what depends on it. Clones share blocks with what they were
 * made of, not folders: they depend on nothing.
 */
export const dependencyRoutes = ({ catalogue }: ApiState): readonly Route[] => [
  reading("/vdbs/:id/deletion-dependencies", {}, ({ params: { id = "" } }) => {
    const vdb = existingVdb(catalogue, id);
    const snapshots = readySnapshots(catalogue).filter(({ dataset_id }) => dataset_id === id);
    const bookmarks = snapshots.flatMap((one) => bookmarksOf(catalogue, one.id));
    return ok({
      prerequisite_actions: [
        ...(vdb.locked_by === undefined ? [] : [{ action: "UNLOCK", object_id: id, object_type: "VDB", object_name: vdb.name }]),
        ...waitsFor(catalogue, id),
      ],
      object_dependencies: [
        ...snapshots.map((one) => dependency("SNAPSHOT", one.id, one.timestamp ?? one.created, [id])),
        ...new Map(bookmarks.map((one) => [one.object_id, one])).values(),
      ],
      dependency_tree: { ...dependency("VDB", id, vdb.name, [vdb.parent_id]), children: clonesOf(catalogue, id) },
    });
  }),
  reading("/snapshots/:id/deletion-dependencies", {}, ({ params: { id = "" } }) => {
    const snapshot = readySnapshot(catalogue, id);
    if (snapshot === undefined) throw notFound("snapshot", id);
    const bookmarks = bookmarksOf(catalogue, id);
    const name = snapshot.timestamp ?? snapshot.created;
    return ok({
      prerequisite_actions: bookmarks.map(({ object_id, object_type, object_name }) => ({
        action: "DELETE",
        object_id,
        object_type,
        object_name,
      })),
      object_dependencies: bookmarks,
      dependency_tree: { ...dependency("SNAPSHOT", id, name, [snapshot.dataset_id]), children: [] },
    });
  }),
];

const dependency = (
  object_type: Dependency["object_type"],
  object_id: string,
  object_name: string,
  parents: readonly string[],
): Dependency => ({ object_id, object_type, object_name, locked: false, parents });

const bookmarksOf = (catalogue: Catalogue, snapshotId: string): readonly Dependency[] =>
  bookmarksOn(catalogue, snapshotId).map(({ id, name }) => dependency("BOOKMARK", id, name, [snapshotId]));

const clonesOf = (catalogue: Catalogue, vdbId: string): readonly Dependency[] =>
  allVdbs(catalogue).flatMap(({ id, name, parent_id }) => (parent_id === vdbId ? [dependency("VDB", id, name, [vdbId])] : []));

const waitsFor = (catalogue: Catalogue, targetId: string) =>
  unfinishedJobs(catalogue).flatMap(({ id, type, target_id }) =>
    target_id === targetId ? [{ action: "WAIT", object_id: id, object_type: "JOB", object_name: type }] : [],
  );
