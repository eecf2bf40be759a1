import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { map } from "@vdb/dct";
import { type Answered, startTestApi, type TestApi } from "./testing/api.ts";

const itemsOf = ({ body }: Answered): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(body["items"]) ? body["items"].map((one) => map(one, "item")) : [];
const says = (answer: Answered): string => String(answer.body["error_description"]);

describe("the API", () => {
  let api: TestApi;
  let source: { readonly sourceId: string; readonly snapshotId: string };
  let vdbId = "";
  before(async () => {
    api = await startTestApi();
    source = api.linked("orders");
    const more = { appdata_source_params: { mount_location: "/mnt/needle" }, appdata_config_params: { a: 1 } };
    vdbId = String((await provision({ name: "first", ...more })).body["vdb_id"]);
  });
  after(() => api[Symbol.asyncDispose]());
  const found = (query: string): Promise<Answered> => api.call("GET", `/snapshots/find_by_${query}`);
  const provision = (more: object): Promise<Answered> =>
    api.call("POST", "/vdbs/provision_by_snapshot", { snapshot_id: source.snapshotId, ...more });
  const link = (more: object): Promise<Answered> =>
    api.call("POST", "/dsources/appdata", { name: "l", group_id: "x", parameters: { host: "db", user: "u" }, ...more });

  test("an unknown id under a collection is not found, another kind's too", async () => {
    equal(itemsOf(await api.call("GET", `/dsources/${source.sourceId}/snapshots`)).length, 1);
    equal((await api.call("GET", `/vdbs/${vdbId}/snapshots`)).status, 200);
    for (const path of [
      `/vdbs/${source.sourceId}`,
      `/vdbs/${source.snapshotId}`,
      "/vdbs/1-APPDATA_CONTAINER-99",
      `/dsources/${vdbId}`,
      `/dsources/${source.snapshotId}`,
      "/dsources/%00",
      `/dsources/${"x".repeat(5000)}`,
    ]) {
      for (const method of ["GET", "POST"]) equal((await api.call(method, `${path}/snapshots`)).status, 404, `${method} ${path}`);
      equal((await api.call("GET", path)).status, 404, path);
    }
    for (const action of ["delete", "enable", "disable"])
      equal((await api.call("POST", `/vdbs/${source.sourceId}/${action}`)).status, 404);
  });

  test("tags are added to those there are, each once, and taken off by key, by value, listed, or all", async () => {
    const path = `/vdbs/${vdbId}/tags`;
    const [a, b, c] = [
      { key: "a", value: "1" },
      { key: "b", value: "1" },
      { key: "b", value: "2" },
    ];
    const tags = async () => (await api.call("GET", path)).body["tags"];
    const first = await api.call("POST", path, { tags: [a, a] });
    deepEqual([first.status, first.body["tags"]], [201, [a]]);
    deepEqual((await api.call("POST", path, { tags: [a, b, c] })).body["tags"], [a, b, c]);
    for (const [body, left] of [
      [{ key: "b", value: "2" }, [a, b]],
      [{ tags: [a, { key: "b", value: "other" }] }, [b]],
      [{ key: "none" }, [b]],
      [{ key: "b" }, []],
    ] as const) {
      equal((await api.call("POST", `${path}/delete`, body)).status, 204);
      deepEqual(await tags(), left);
    }
    await api.call("POST", path, { tags: [a, b] });
    equal((await api.call("POST", `${path}/delete`)).status, 204);
    deepEqual(await tags(), []);
    const large = await api.call("POST", path, {
      tags: Array.from({ length: 9 }, (_, index) => ({ key: `k${index}`, value: "v".repeat(4000) })),
    });
    deepEqual([large.status, await tags()], [400, []]);
    for (const [method, end] of [
      ["GET", ""],
      ["POST", ""],
      ["POST", "/delete"],
    ] as const)
      equal((await api.call(method, `/vdbs/nobody/tags${end}`, method === "GET" ? undefined : { tags: [a] })).status, 404);
  });

  test("snapshots are found by timestamp and location", async () => {
    const dataset = `dataset_id=${source.sourceId}`;
    const ids = async (query: string) => itemsOf(await found(query)).map(({ id }) => id);
    deepEqual(await ids(`timestamp?${dataset}&timestamp=2026-01-02T03:04:05.678Z`), [source.snapshotId]);
    deepEqual(await ids(`timestamp?${dataset}&timestamp=2026-01-02T04:04:05.678%2B01:00`), [source.snapshotId]);
    deepEqual(await ids(`timestamp?${dataset}&timestamp=2026-01-02T03:04:05.679Z`), []);
    deepEqual(await ids(`location?${dataset}&location=0/5000028`), [source.snapshotId]);
    deepEqual(await ids(`location?dataset_id=${vdbId}&location=0/5000028`), []);
    equal((await found("location?dataset_id=none&location=0/5000028")).status, 404);
    for (const bad of ["timestamp", `timestamp?${dataset}`, `timestamp?${dataset}&timestamp=yesterday`, `location?${dataset}`])
      equal((await found(bad)).status, 400, bad);
  });

  test("other paths of the public document are not taken for ids", async () => {
    for (const path of ["/dsources/oracle", "/vdbs/empty_vdb", "/vdbs/find_by_location"]) {
      const answer = await api.call("GET", path);
      equal(answer.status, 404);
      match(says(answer), /this engine does not serve/u);
    }
  });

  test("a method that is not served is told with those that are", async () => {
    for (const [method, path, allow] of [
      ["PUT", `/vdbs/${vdbId}`, "GET, HEAD, PATCH"],
      ["DELETE", `/vdbs/${vdbId}`, "GET, HEAD, PATCH"],
      ["PUT", "/vdbs", "GET, HEAD"],
      ["GET", "/vdbs/search", "POST"],
      ["GET", "/vdbs/provision_by_snapshot", "POST"],
      ["GET", "/dsources/delete", "POST"],
      ["POST", `/snapshots/${source.snapshotId}`, "GET, HEAD, PATCH, DELETE"],
      ["PATCH", `/vdbs/${vdbId}/snapshots`, "GET, HEAD, POST"],
      ["OPTIONS", "/jobs", "GET, HEAD"],
    ] as const) {
      const answer = await api.call(method, path);
      equal(answer.status, 405, `${method} ${path}`);
      deepEqual(String(answer.headers["allow"]).split(", ").toSorted(), allow.split(", ").toSorted());
    }
    const head = await api.call("HEAD", "/vdbs");
    deepEqual([head.status, head.text], [200, ""]);
    equal((await api.call("GET", `/vdbs/${vdbId}/nothing`)).status, 404);
  });

  for (const bad of ["1e3", "0x10", "-1", "%205", "5.0", "0", "1001", "", "+5", "05", "1_0", "5&limit=6"])
    test(`limit=${bad} is refused`, async () => {
      equal((await api.call("GET", `/vdbs?limit=${bad}`)).status, 400);
      equal((await api.call("POST", `/vdbs/search?limit=${bad}`)).status, 400);
      equal((await api.call("GET", `/vdbs/${vdbId}/snapshots?limit=${bad}`)).status, 400);
    });

  test("a query parameter that is not known is refused: a filter that is dropped would answer too much", async () => {
    const answer = await api.call("GET", "/vdbs?name=orders");
    equal(answer.status, 400);
    match(says(answer), /query parameter "name" is not a known one; known ones: limit, cursor, sort, permission/u);
    equal((await api.call("GET", "/vdbs?permission=READ&permission=DELETE")).status, 200);
    equal((await api.call("POST", `/vdbs/${vdbId}/delete?force=true`)).status, 400);
    equal((await api.call("GET", `/vdbs?cursor=${"a".repeat(4097)}`)).status, 400);
  });

  test("a field with an effect that is not served is refused by name, and nothing is made", async () => {
    const hook = [{ name: "mask", command: "psql -c …" }];
    for (const field of ["post_refresh", "configure_clone", "pre_start", "config_params", "retention_policy_id"]) {
      const answer = await provision({ name: "second", [field]: hook });
      equal(answer.status, 400);
      match(says(answer), new RegExp(`^body\\.${field}: is not`, "u"));
    }
    const status = (await api.call("GET", `/vdbs/${vdbId}`)).body["status"];
    const deletion = await api.call("POST", `/vdbs/${vdbId}/delete`, { delete_all_dependent_vdbs: true });
    deepEqual([deletion.status, says(deletion).slice(0, 31)], [400, "body.delete_all_dependent_vdbs:"]);
    equal((await api.call("GET", `/vdbs/${vdbId}`)).body["status"], status);
    deepEqual(itemsOf(await api.call("POST", "/vdbs/search", { filter_expression: "name EQ 'second'" })), []);
  });

  test("a field that nobody knows is tolerated: a newer client may send it", async () => {
    const made = await provision({ name: "newer", invented_tomorrow: { a: 1 }, postRefresh: [] });
    equal(made.status, 200);
    equal((await api.call("GET", `/vdbs/${String(made.body["vdb_id"])}`)).body["name"], "newer");
    api.catalogue.run("DELETE FROM vdb WHERE name = 'newer'");
  });

  test("names and texts are held to their rule, and the field is named", async () => {
    for (const bad of ["", "x".repeat(257), "x".repeat(100_000), "a\0b", "\ud800", "../../x", " a"])
      for (const field of ["name", "database_name"])
        match(says(await provision({ [field]: bad })), new RegExp(`^body\\.${field}: `, "u"));
    for (const bad of ["", "x".repeat(257), "/mnt/../etc", "\0"])
      match(says(await provision({ mount_point: bad })), /^body\.mount_point: /u);
    match(
      says(await provision({ appdata_config_params: { a: "x".repeat(20_000) } })),
      /^body\.appdata_config_params: is too large/u,
    );
    const deep = `{"appdata_source_params":{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`;
    match(
      says(await api.call("POST", "/vdbs/provision_by_snapshot", deep)),
      /^body\.appdata_source_params.*nested deeper than 32/u,
    );
    match(says(await provision({ tags: [{ key: "k", value: "" }] })), /^body\.tags\[0\]\.value: is empty/u);
    match(says(await link({ name: "../x" })), /^body\.name: /u);
    match(says(await link({ parameters: { host: "/run/postgresql", user: "u" } })), /^body\.parameters\.host: is not a host/u);
    match(says(await api.call("POST", "/dsources/delete", { dsource_id: "" })), /^body\.dsource_id: is empty/u);
    const latin1 = Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xe4]), Buffer.from('"}')]);
    match(says(await api.call("POST", "/vdbs/provision_by_snapshot", latin1)), /the body is not UTF-8/u);
  });

  test("lists leave out what may be large, the answer for one has it, and a search still finds by it", async () => {
    const one = (await api.call("GET", `/vdbs/${vdbId}`)).body;
    deepEqual([one["appdata_source_params"], one["appdata_config_params"]], [{ mount_location: "/mnt/needle" }, { a: 1 }]);
    for (const filter of [undefined, "appdata_source_params CONTAINS 'needle'", "SEARCH 'NEEDLE'"]) {
      const [listed, ...others] = itemsOf(
        await api.call("POST", "/vdbs/search", filter === undefined ? {} : { filter_expression: filter }),
      );
      equal(others.length, 0);
      const { appdata_source_params: _source, appdata_config_params: _config, ...rest } = one;
      deepEqual(listed, rest);
    }
  });

  test("a page ends before it is too large, and its cursor leads on", async () => {
    const tags = Array.from({ length: 8 }, (_, i) => ({ key: `k${i}`, value: "v".repeat(3_900) }));
    for (let i = 0; i < 80; i += 1) equal((await provision({ name: `large-${i}`, tags })).status, 200);
    const seen: unknown[] = [];
    const sizes: number[] = [];
    for (let cursor: string | undefined = ""; cursor !== undefined; ) {
      const page = await api.call("GET", `/vdbs?limit=1000${cursor === "" ? "" : `&cursor=${cursor}`}`);
      seen.push(...itemsOf(page).map(({ id }) => id));
      sizes.push(page.text.length);
      const next = map(page.body["response_metadata"], "metadata")["next_cursor"];
      cursor = typeof next === "string" ? next : undefined;
    }
    equal(new Set(seen).size, 81);
    equal(seen.length, 81);
    ok(sizes.length > 1 && sizes.every((size) => size < 2.2 * 2 ** 20), String(sizes));
  });
});
