/** What the operations do that change no bytes, and what the others reserve: jobs are recorded here, not carried out. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { map } from "@vdb/dct";
import { retireExpired } from "../jobs/retire.ts";
import { btrfsPool } from "../pool/btrfs.ts";
import { collections } from "./collections.ts";
import { type Answered, startTestApi, type TestApi } from "./testing/api.ts";

const says = (answer: Answered): string => String(answer.body["error_description"]);
const itemsOf = ({ body }: Answered): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(body["items"]) ? body["items"].map((one) => map(one, "item")) : [];
const jobOf = ({ body }: Answered): Readonly<Record<string, unknown>> => map(body["job"], "job");
const taken = "2026-01-02T03:04:05.678Z";

describe("operations", () => {
  let api: TestApi;
  let source: { readonly sourceId: string; readonly snapshotId: string };
  let vdbId = "";
  before(async () => {
    api = await startTestApi();
    source = api.linked("orders");
    vdbId = await provisioned("first");
  });
  after(() => api[Symbol.asyncDispose]());
  const post = (path: string, body: unknown = {}): Promise<Answered> => api.call("POST", path, body);
  const get = (path: string): Promise<Answered> => api.call("GET", path);
  /** As if its job had ended. */
  const provisioned = async (name: string): Promise<string> => {
    const made = await post("/vdbs/provision_by_snapshot", { snapshot_id: source.snapshotId, name });
    equal(made.status, 200, made.text);
    const id = String(made.body["vdb_id"]);
    for (const table of ["vdb", "timeflow"])
      api.catalogue.run(`UPDATE ${table} SET state = 'ready' WHERE ${table === "vdb" ? "id" : "dataset_id"} = ?`, id);
    api.catalogue.run("UPDATE vdb SET enabled = 1 WHERE id = ?", id);
    api.catalogue.run(
      "UPDATE snapshot SET state = 'ready', timestamp = ?, location = '0/6000000' WHERE dataset_id = ?",
      "2026-02-02T00:00:00.000Z",
      id,
    );
    api.catalogue.run("DELETE FROM hold");
    api.catalogue.run("UPDATE job SET status = 'COMPLETED' WHERE target_id = ?", id);
    return id;
  };
  /** The snapshot that a new VDB begins with. */
  const originOf = async (made: Answered): Promise<unknown> => {
    equal(made.status, 200, made.text);
    const { current_timeflow_id: id } = (await get(`/vdbs/${String(made.body["vdb_id"])}`)).body;
    const row = api.catalogue.one((one) => map(one, "row"), "SELECT snapshot_id FROM timeflow WHERE id = ?", String(id));
    return row?.["snapshot_id"];
  };

  test("a VDB is made as of an instant, of a location, of a bookmark, and the defaults of each are accepted as they are", async () => {
    const bookmark = await post("/bookmarks", { name: "monday", snapshot_ids: [source.snapshotId] });
    const bookmarkId = String(map(bookmark.body["bookmark"], "bookmark")["id"]);
    api.catalogue.run("UPDATE bookmark SET state = 'ready' WHERE id = ?", bookmarkId);
    const source_data_id = source.sourceId;
    for (const [way, point] of [
      ["by_snapshot", { snapshot_id: source.snapshotId }],
      ["by_timestamp", { source_data_id, timestamp: taken }],
      ["by_timestamp", { source_data_id }],
      ["by_location", { source_data_id, location: "0/6000000" }],
      ["from_bookmark", { bookmark_id: bookmarkId }],
    ] as const) {
      equal(await originOf(await post(`/vdbs/provision_${way}`, point)), source.snapshotId, way);
      const defaults = await post(`/vdbs/provision_${way}/defaults`, point);
      equal(defaults.status, 200, defaults.text);
      equal(await originOf(await post(`/vdbs/provision_${way}`, defaults.body)), source.snapshotId, `${way}, with the defaults`);
      const places = await post(`/environments/compatible_repositories_${way}`, point);
      equal(itemsOf(places).length, 1, places.text);
    }
    for (const [way, point, status, words] of [
      ["by_timestamp", { source_data_id, timestamp: "2025-01-01T00:00:00Z" }, 409, /no data of dSource orders as of 2025-01-01/u],
      ["by_timestamp", { timestamp: taken }, 400, /body\.source_data_id/u],
      ["by_location", { source_data_id, location: "0/5000027" }, 409, /as of 0\/5000027: its oldest snapshot is/u],
      ["by_location", { source_data_id, location: "somewhere" }, 400, /is not a location/u],
      ["by_location", { location: "0/6000000" }, 400, /source_data_id or timeflow_id/u],
      ["from_bookmark", { bookmark_id: "nothing" }, 404, /no bookmark nothing/u],
      ["from_bookmark", {}, 400, /body\.bookmark_id/u],
      ["by_snapshot", { snapshot_id: "nothing" }, 404, /no snapshot nothing/u],
    ] as const) {
      const refused = await post(`/vdbs/provision_${way}`, point);
      equal(refused.status, status, refused.text);
      match(says(refused), words);
      equal((await post(`/vdbs/provision_${way}/defaults`, point)).status, status, `${way}, defaults`);
    }
  });

  test("a VDB is refreshed by location: by the newest snapshot that is not beyond it", async () => {
    const id = await provisioned("by-location");
    const answer = await post(`/vdbs/${id}/refresh_by_location`, { location: "0/50000FF" });
    equal(answer.status, 200, answer.text);
    deepEqual([jobOf(answer)["type"], jobOf(answer)["target_id"]], ["DB_REFRESH", id]);
    match(says(await post(`/vdbs/${vdbId}/refresh_by_location`, { location: "0/1" })), /no data of dSource orders as of 0\/1/u);
  });

  test("a locked VDB is not deleted and gets no other data, and an unlocked one is", async () => {
    const id = await provisioned("locked");
    const locked = await post(`/vdbs/${id}/lock`, {});
    deepEqual([locked.body["is_locked"], locked.body["locked_by"], locked.body["locked_by_name"]], [true, 1, "engine"]);
    for (const operation of ["delete", "refresh_by_snapshot", "rollback_by_snapshot", "undo_refresh"]) {
      const refused = await post(`/vdbs/${id}/${operation}`);
      equal(refused.status, 409, operation);
      match(says(refused), /VDB locked is locked by account 1: unlock it first/u);
    }
    equal((await post(`/vdbs/${id}/lock`, { account_id: "1" })).status, 400);
    equal(itemsOf(await post("/vdbs/search", { filter_expression: "is_locked EQ true" })).length, 1);
    const dependencies = (await get(`/vdbs/${id}/deletion-dependencies`)).body["prerequisite_actions"];
    deepEqual(dependencies, [{ action: "UNLOCK", object_id: id, object_type: "VDB", object_name: "locked" }]);
    equal((await post(`/vdbs/${id}/unlock`)).body["is_locked"], false);
    equal((await post(`/vdbs/${id}/delete`)).status, 200);
    for (const operation of ["lock", "unlock"]) equal((await post(`/vdbs/nobody/${operation}`)).status, 404);
  });

  test("a VDB is started where it may run, and stopped where nothing runs", async () => {
    const id = await provisioned("started");
    deepEqual(jobOf(await post(`/vdbs/${id}/start`))["type"], "DB_START");
    deepEqual(jobOf(await post(`/vdbs/${id}/stop`))["type"], "DB_STOP");
    api.catalogue.run("UPDATE vdb SET enabled = 0 WHERE id = ?", id);
    match(says(await post(`/vdbs/${id}/start`)), /VDB started is disabled: enable it first/u);
  });

  test("every kind of object that can have tags has them, and is found by them", async () => {
    for (const { path, what, tags } of collections) {
      if (tags === undefined) continue;
      const [first] = itemsOf(await get(`${path}?limit=1`));
      const one = `${path}/${String(first?.["id"])}`;
      const added = await post(`${one}/tags`, { tags: [{ key: "team", value: `of ${what}` }] });
      equal(added.status, 201, `${one}: ${added.text}`);
      deepEqual((await get(one)).body["tags"], added.body["tags"], path);
      equal(itemsOf(await post(`${path}/search`, { filter_expression: `tags.value EQ 'of ${what}'` })).length, 1, path);
      equal((await post(`${one}/tags/delete`, { key: "team" })).status, 204);
      deepEqual((await get(`${one}/tags`)).body["tags"], []);
      equal((await get(`${path}/nothing/tags`)).status, 404);
      equal((await post(`${path}/nothing/tags`, { tags: [{ key: "a", value: "b" }] })).status, 404);
    }
  });

  test("a job that waits is abandoned; one that has ended, and a deletion that has begun, are not", async () => {
    const id = await provisioned("abandoned");
    const waiting = String(jobOf(await post(`/vdbs/${id}/snapshots`))["id"]);
    equal((await post(`/jobs/${waiting}/abandon`)).status, 204);
    const abandoned = api.catalogue.one((row) => map(row, "row"), "SELECT abandoned FROM job WHERE id = ?", waiting);
    equal(abandoned?.["abandoned"], 1);
    equal((await get(`/jobs/${waiting}/result`)).status, 409);
    const deletion = String(jobOf(await post(`/vdbs/${id}/delete`))["id"]);
    api.catalogue.run("UPDATE job SET status = 'STARTED' WHERE id = ?", deletion);
    match(says(await post(`/jobs/${deletion}/abandon`)), /removes data already/u);
    api.catalogue.run("UPDATE job SET status = 'COMPLETED' WHERE id = ?", deletion);
    match(says(await post(`/jobs/${deletion}/abandon`)), /has ended with status COMPLETED/u);
    const result = await get(`/jobs/${deletion}/result`);
    deepEqual([result.body["job_id"], map(result.body["result"], "result")["target_id"]], [deletion, id]);
    equal((await post("/jobs/nothing/abandon")).status, 404);
  });

  test("a VDB's name is changed by a job, and not to a name that is taken", async () => {
    const answer = await api.call("PATCH", `/vdbs/${vdbId}`, { name: "renamed", description: "for the tests" });
    deepEqual([answer.status, jobOf(answer)["type"]], [200, "DB_UPDATE"]);
    const other = await provisioned("taken");
    equal((await api.call("PATCH", `/vdbs/${vdbId}`, { name: "taken" })).status, 409);
    equal((await api.call("PATCH", `/vdbs/${other}`, { name: "taken" })).status, 200, "its own name");
    equal((await api.call("PATCH", `/vdbs/${vdbId}`, { hooks: { pre_start: [{}] } })).status, 400);
    equal((await api.call("PATCH", "/vdbs/nobody", { name: "x" })).status, 404);
  });

  test("an expired snapshot is deleted after its last day, unless it is kept for ever or a bookmark names it", async () => {
    const id = await provisioned("expires");
    const [snapshot] = itemsOf(await get(`/vdbs/${id}/snapshots`));
    const snapshotId = String(snapshot?.["id"]);
    deepEqual([snapshot?.["dataset_name"], snapshot?.["engine_name"]], ["expires", "delphix-engine"]);
    equal(jobOf(await api.call("PATCH", `/snapshots/${snapshotId}`, { expiration: "2026-03-01" }))["type"], "SNAPSHOT_UPDATE");
    equal((await api.call("PATCH", `/snapshots/${snapshotId}`, { expiration: "2026-02-30" })).status, 400);
    equal((await post(`/snapshots/${snapshotId}/unset_expiration`)).status, 200);
    const parts = { catalogue: api.catalogue, pool: btrfsPool("/nowhere", "/nowhere.img") };
    const due = (day: string): readonly string[] => retireExpired(parts, new Date(`${day}T12:00:00Z`));
    const set = (retained: number): void =>
      api.catalogue.run("UPDATE snapshot SET expiration = '2026-03-01', retain_forever = ? WHERE id = ?", retained, snapshotId);
    set(1);
    deepEqual(due("2026-03-02"), []);
    set(0);
    deepEqual(due("2026-03-01"), [], "its last day");
    const bookmarkId = String(
      map(
        (await post("/bookmarks", { name: "keeps", snapshot_ids: [snapshotId], expiration: "2026-03-02" })).body["bookmark"],
        "b",
      )["id"],
    );
    api.catalogue.run("DELETE FROM hold");
    deepEqual(due("2026-03-02"), [], "a bookmark names it");
    api.catalogue.run("UPDATE bookmark SET state = 'ready' WHERE id = ?", bookmarkId);
    deepEqual((await get(`/bookmarks/${bookmarkId}`)).body["expiration"], "2026-03-02");
    deepEqual(due("2026-03-03"), [bookmarkId], "first the bookmark");
    api.catalogue.run("DELETE FROM bookmark WHERE id = ?", bookmarkId);
    deepEqual(due("2026-03-03"), [snapshotId]);
    equal((await get(`/snapshots/${snapshotId}/runtime`)).status, 404, "it is being deleted");
  });

  test("what the engine knows of a VDB, it tells", async () => {
    const vdb = (await get(`/vdbs/${vdbId}`)).body;
    const [environment] = itemsOf(await get("/environments"));
    const [repository] = Array.isArray(environment?.["repositories"]) ? environment["repositories"] : [];
    deepEqual(
      [vdb["environment_id"], vdb["repository_id"], vdb["content_type"], vdb["is_locked"]],
      [environment?.["id"], map(repository, "repository")["id"], "APPDATA", false],
    );
    const users = (await get(`/environments/${String(environment?.["id"])}/users`)).body["users"];
    deepEqual(users, environment?.["env_users"]);
    equal((await get("/environments/nothing/users")).status, 404);
    const [linked] = itemsOf(await get("/sources"));
    equal((await get(`/dsources/${source.sourceId}`)).body["source_id"], linked?.["id"]);
    equal((await get(`/sources/${source.sourceId}`)).status, 404, "a dSource is no source");
  });

  test("the description of the API is loaded without a key, from any page", async () => {
    const answer = await api.health("/openapi.json");
    equal(answer.status, 200);
    equal(answer.headers["access-control-allow-origin"], "*");
    ok(Object.keys(map(answer.body["paths"], "paths")).length > 80);
  });
});
