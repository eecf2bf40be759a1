import { equal, match, ok } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Catalogue, openCatalogue } from "../catalogue/catalogue.ts";
import { vdbById } from "../catalogue/datasets.ts";
import { Refusal } from "../refusal.ts";
import { type Change, choosePoint, type Point } from "./choose-point.ts";

/** A family: dSource `production` → VDB `parent` → VDB `child`; and VDB `stranger` of another dSource. Minutes of one day. */
const snapshots: readonly (readonly [id: string, dataset: string, minute: number, state?: string, timeflow?: string])[] = [
  ["p1", "production", 1],
  ["p2", "production", 20],
  ["p3", "production", 40, "creating"],
  ["v1", "parent", 10],
  ["v2", "parent", 30],
  ["c1", "child", 15, "ready", "child-old"],
  ["c2", "child", 35],
  ["s1", "stranger", 5],
];
const at = (minute: number): string => `2026-01-01T00:${String(minute).padStart(2, "0")}:00.000Z`;

const bySnapshot = (snapshotId?: string): Point => ({ by: "snapshot", snapshotId });
const byTime = (more: Omit<Extract<Point, { by: "timestamp" }>, "by">): Point => ({ by: "timestamp", ...more });

describe("choosePoint", () => {
  let folder = "";
  let catalogue: Catalogue;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "point-"));
    catalogue = openCatalogue(join(folder, "catalogue.db"));
    catalogue.run("INSERT INTO dataset_group VALUES ('g', 'g')");
    catalogue.run("INSERT INTO environment (id, name, repository_id, repository_name) VALUES ('e', 'e', 'r', 'r')");
    const connection = JSON.stringify({ host: "h", port: 1, user: "u", sslmode: "prefer" });
    for (const id of ["production", "other"])
      catalogue.run(
        "INSERT INTO dsource (id, name, group_id, declared, state, last_error, connection, tags, timeflow_id, created) VALUES (?1, ?1, 'g', 1, 'linked', NULL, ?2, '[]', 'flow-' || ?1, '2026-01-01')",
        id,
        connection,
      );
    for (const [id, parent, root] of [
      ["parent", "production", "production"],
      ["child", "parent", "production"],
      ["orphan", "gone", "production"],
      ["stranger", "other", "other"],
    ] as const) {
      const flow =
        "INSERT INTO timeflow (id, dataset_id, creation_type, snapshot_id, state, created) VALUES (?, ?, 'INITIAL', 'x', 'ready', 't')";
      catalogue.run(flow, `flow-${id}`, id);
      catalogue.run(
        `INSERT INTO vdb (id, name, group_id, environment_id, state, enabled, parent_id, parent_dsource_id, database_name, owner,
           source_params, config_params, tags, timeflow_id, created)
         VALUES (?1, ?1, 'g', 'e', 'ready', 1, ?2, ?3, 'd', '1:1', '{}', '{}', '[]', 'flow-' || ?1, 't')`,
        id,
        parent,
        root,
      );
    }
    for (const [id, dataset, minute, state = "ready", timeflow = `flow-${dataset}`] of snapshots)
      catalogue.run(
        `INSERT INTO snapshot (id, dataset_id, dataset_kind, state, made_by, timeflow_id, timestamp, owner, created)
         VALUES (?, ?, 'VDB', ?, 'request', ?, ?, '1:1', ?)`,
        id,
        dataset,
        state,
        timeflow,
        at(minute),
        at(minute),
      );
    catalogue.run(
      "INSERT INTO bookmark (id, name, bookmark_type, state, tags, created) VALUES ('b', 'both', 'PRIVATE', 'ready', '[]', 't'), ('n', 'new', 'PRIVATE', 'creating', '[]', 't'), ('f', 'far', 'PRIVATE', 'ready', '[]', 't')",
    );
    catalogue.run("INSERT INTO bookmark_snapshot VALUES ('b', 'c1'), ('b', 'v1'), ('f', 's1')");
  });
  after(() => {
    catalogue[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  interface Row {
    readonly name: string;
    readonly why: string;
    readonly vdb?: string;
    readonly change: Change;
    readonly point: Point;
    /** The snapshot, or the words of the refusal. */
    readonly want: string | RegExp;
  }
  const rows: readonly Row[] = [
    {
      name: "a refresh without a name",
      why: "the latest of the parent that can be used",
      change: "refresh",
      point: bySnapshot(),
      want: "v2",
    },
    {
      name: "of a VDB whose parent is a dSource",
      why: "one that is being made does not count",
      vdb: "parent",
      change: "refresh",
      point: bySnapshot(),
      want: "p2",
    },
    { name: "a rollback without a name", why: "the latest of its own", change: "rollback", point: bySnapshot(), want: "c2" },
    {
      name: "a refresh to an own snapshot",
      why: "the vendor's script rewinds so",
      change: "refresh",
      point: bySnapshot("c1"),
      want: "c1",
    },
    { name: "a refresh from the root", why: "it is the same family", change: "refresh", point: bySnapshot("p1"), want: "p1" },
    {
      name: "a refresh from a stranger",
      why: "it would be another database",
      change: "refresh",
      point: bySnapshot("s1"),
      want: /s1 belongs to VDB stranger; VDB child is refreshed from VDB parent or dSource production or VDB child/u,
    },
    {
      name: "a rollback to the parent's",
      why: "that is a refresh",
      change: "rollback",
      point: bySnapshot("v1"),
      want: /v1 belongs to VDB parent; VDB child is rolled back to snapshots of VDB child/u,
    },
    {
      name: "the word null",
      why: "a script's search found none",
      change: "refresh",
      point: bySnapshot("null"),
      want: /the search for a snapshot has found none/u,
    },
    {
      name: "one that is being made",
      why: "it does not exist yet for anybody",
      change: "refresh",
      point: bySnapshot("p3"),
      want: /there is no snapshot p3/u,
    },
    {
      name: "a parent that is gone",
      why: "the choice is told",
      vdb: "orphan",
      change: "refresh",
      point: bySnapshot(),
      want: /gone, which does not exist has no snapshot/u,
    },
    {
      name: "a moment between two",
      why: "there is no log between snapshots",
      change: "refresh",
      point: byTime({ timestamp: at(29) }),
      want: "v1",
    },
    { name: "the moment of one", why: "it is not newer", change: "refresh", point: byTime({ timestamp: at(30) }), want: "v2" },
    {
      name: "the same moment in another zone",
      why: "an instant has many spellings",
      change: "refresh",
      point: byTime({ timestamp: "2026-01-01T01:30:00+01:00" }),
      want: "v2",
    },
    {
      name: "before the first",
      why: "what there is is told",
      change: "refresh",
      point: byTime({ timestamp: at(9) }),
      want: /no data of VDB parent as of 2026-01-01T00:09:00.000Z: its oldest snapshot is v1 of/u,
    },
    { name: "no moment", why: "the latest", change: "rollback", point: byTime({}), want: "c2" },
    {
      name: "of an old timeflow",
      why: "it is the VDB's too",
      change: "rollback",
      point: byTime({ timeflowId: "flow-child" }),
      want: "c2",
    },
    {
      name: "of another dataset of the family",
      why: "it may be named",
      change: "refresh",
      point: byTime({ datasetId: "production", timestamp: at(30) }),
      want: "p2",
    },
    {
      name: "of a stranger",
      why: "it would be another database",
      change: "refresh",
      point: byTime({ datasetId: "stranger" }),
      want: /dataset_id names VDB stranger/u,
    },
    {
      name: "timeflow and dataset",
      why: "they exclude each other",
      change: "refresh",
      point: byTime({ datasetId: "parent", timeflowId: "flow-parent" }),
      want: /not both/u,
    },
    {
      name: "a timeflow that is not there",
      why: "it is told",
      change: "rollback",
      point: byTime({ timeflowId: "none" }),
      want: /no timeflow none/u,
    },
    {
      name: "a bookmark with both, refreshed",
      why: "a refresh brings the parent's data",
      change: "refresh",
      point: { by: "bookmark", bookmarkId: "b" },
      want: "v1",
    },
    {
      name: "the same, rolled back",
      why: "a rollback its own",
      change: "rollback",
      point: { by: "bookmark", bookmarkId: "b" },
      want: "c1",
    },
    {
      name: "a bookmark of others",
      why: "what it covers is told",
      change: "refresh",
      point: { by: "bookmark", bookmarkId: "f" },
      want: /bookmark far covers VDB stranger/u,
    },
    {
      name: "a bookmark that is being made",
      why: "its snapshot is not there yet",
      change: "refresh",
      point: { by: "bookmark", bookmarkId: "n" },
      want: /bookmark new is being made/u,
    },
  ];
  for (const { name, why, vdb: id = "child", change, point, want } of rows)
    test(name, () => {
      const vdb = vdbById(catalogue, id);
      ok(vdb !== undefined);
      try {
        equal(choosePoint(catalogue, vdb, change, point).id, want, why);
      } catch (error) {
        if (!(error instanceof Refusal) || typeof want === "string") throw error;
        match(error.message, want, why);
      }
    });
});
