import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { type DctClient, DctError, waitForJob } from "@vdb/dct";
import { dSourceId, type FakeDctOptions, FakeWorld, fakeDct } from "@vdb/dct/testing";
import type { ControllerVolumes } from "../controller/create-volume.ts";
import { createVolume } from "../controller/create-volume.ts";
import { deleteVolume } from "../controller/delete-volume.ts";
import type { Handler } from "../grpc/handler.ts";
import { messageOf } from "../grpc/message.ts";
import { isFinal, RpcError } from "../grpc/rpc-error.ts";
import { aCall } from "../testing/call.ts";
import { refused } from "../testing/refused.ts";
import { kubernetesWith, volumesOn } from "../testing/volumes.ts";
import { createSnapshot } from "./create-snapshot.ts";
import { deleteSnapshot } from "./delete-snapshot.ts";
import { getSnapshot } from "./get-snapshot.ts";
import { listSnapshots } from "./list-snapshots.ts";

const name = "snapshot-7d0c";
const owner = { "csi.storage.k8s.io/volumesnapshot/namespace": "team", "csi.storage.k8s.io/volumesnapshot/name": "nightly" };
let world: FakeWorld;
let vdb: string;

/** A volume of 1 GiB that its claim wants for user 70. */
beforeEach(async () => {
  world = new FakeWorld();
  vdb = await makeVdb("dlpx-1");
});

async function makeVdb(called: string): Promise<string> {
  const tags = [
    { key: "kubernetes/capacity-bytes", value: String(1 << 30) },
    { key: "kubernetes/ownership-spec", value: "70:70" },
  ];
  const made = await fakeDct(world).provisionBySnapshot({ name: called, source_data_id: dSourceId("production"), tags });
  world.endJobs();
  return made.vdbId;
}

/** One call in one life of the driver: nothing but the world outlives it. */
async function run(
  handler: (volumes: ControllerVolumes) => Handler,
  request: object,
  options: FakeDctOptions = {},
): Promise<Record<string, unknown>> {
  const kubernetes = await kubernetesWith({ "team/copy": {} });
  const answer = await handler(volumesOn(world, options, kubernetes))(messageOf(request), aCall());
  return { ...answer };
}

const create = (request: object = {}, options: FakeDctOptions = {}) =>
  run(createSnapshot, { name, sourceVolumeId: vdb, parameters: owner, ...request }, options);
const idOf = (answer: Record<string, unknown>): string => /"snapshotId":"([^"]+)"/u.exec(JSON.stringify(answer))?.[1] ?? "";
const tagsOf = (id: string) => (world.vdbs.get(id)?.tags ?? []).filter(({ key }) => key.startsWith("kubernetes/snapshot"));
const snapshotJobs = () => world.jobs.filter(({ type }) => type === "DB_SNAPSHOT");

/** Somebody else's snapshot, at the same engine. */
async function foreign(dct: DctClient = fakeDct(world)): Promise<string> {
  const before = new Set(world.vdbSnapshots.keys());
  const { jobId } = await dct.snapshotVdb(vdb);
  await waitForJob(dct, jobId, { signal: new AbortController().signal, deadlineSeconds: 5 });
  return [...world.vdbSnapshots.keys()].find((id) => !before.has(id)) ?? "";
}

const removeSnapshot = (snapshotId: string, options: FakeDctOptions = {}) => run(deleteSnapshot, { snapshotId }, options);

const list = async (request: object = {}) => {
  const { entries, nextToken = "" } = await run(listSnapshots, request);
  ok(Array.isArray(entries));
  return { ids: entries.map((entry) => idOf(entry)), nextToken: String(nextToken) };
};

const removeVolume = () => run(deleteVolume, { volumeId: vdb });

const copy = (volumeContentSource: object, request: object = {}) =>
  run(createVolume, {
    name: "dlpx-copy",
    capacityRange: { requiredBytes: 1 << 30 },
    volumeCapabilities: [{ mount: {}, accessMode: { mode: "SINGLE_NODE_WRITER" } }],
    parameters: { "csi.storage.k8s.io/pvc/namespace": "team", "csi.storage.k8s.io/pvc/name": "copy" },
    volumeContentSource,
    ...request,
  });

const copied = () => [...world.vdbs.values()].find((one) => one.name === "dlpx-copy");

const refusesTags = (call: string): void => {
  if (call === "tag") throw new DctError("refused", "body.tags: is too large");
};

describe("CreateSnapshot", () => {
  test("answers the DCT snapshot's id, when its data is of, and how large a volume of it has to be; its name stands on the VDB", async () => {
    const answer = await create();
    const [snapshot] = world.vdbSnapshots.values();
    const at = Date.parse(snapshot?.timestamp ?? "");
    deepEqual(answer, {
      snapshot: {
        snapshotId: snapshot?.id,
        sourceVolumeId: vdb,
        sizeBytes: 1 << 30,
        creationTime: { seconds: Math.floor(at / 1000), nanos: (at % 1000) * 1e6 },
        readyToUse: true,
      },
    });
    deepEqual(tagsOf(vdb), [{ key: `kubernetes/snapshot/${name}`, value: `${snapshot?.id} team/nightly` }]);
  });

  test("called again, it answers the same and takes nothing", async () => {
    deepEqual(await create(), await create());
    equal(snapshotJobs().length, 1);
  });

  test("of two names each has its own, also while others take theirs", async () => {
    const first = idOf(await create());
    const others = await foreign();
    const second = idOf(await create({ name: "snapshot-other" }));
    equal(new Set([first, others, second]).size, 3);
    equal(world.vdbSnapshots.size, 3);
  });

  test("that somebody else takes one at the same moment does not mix them up", async () => {
    let theirs: Promise<string> | undefined;
    const beforeCall = (call: string): void => void (call === "snapshot" && (theirs ??= foreign()));
    const mine = idOf(await create({}, { beforeCall }));
    notEqual(mine, await theirs);
    equal(world.vdbSnapshots.size, 2);
  });

  for (const when of ["before", "after"] as const)
    test(`cut off ${when} any of its calls, the next call leaves exactly one snapshot, and one tag`, async () => {
      let calls = 0;
      await create({ name: "counted" }, { beforeCall: () => void (calls += 1) });
      for (let at = 1; at <= calls; at += 1) {
        world = new FakeWorld();
        vdb = await makeVdb("dlpx-1");
        const theirs = await foreign(); // as every VDB of the embedded engine has one from its first moment
        const earlier = idOf(await create({ name: "earlier" }));
        await create({}, { cut: { at, when } }).catch((error: unknown) =>
          ok(
            !(error instanceof RpcError) || !isFinal(error.code),
            `call ${at}: a final code, and a snapshot may be there: ${String(error)}`,
          ),
        );
        const others = idOf(await create({ name: "other" })); // asked for before the lost call's caller comes back
        const id = idOf(await create());
        world.endJobs();
        equal(new Set([theirs, earlier, others, id]).size, 4, `cut at call ${at}`);
        deepEqual(new Set(world.vdbSnapshots.keys()), new Set([theirs, earlier, others, id]), `cut at call ${at}`);
        deepEqual(
          new Set(tagsOf(vdb).map(({ key, value }) => `${key} ${value}`)),
          new Set(
            Object.entries({ earlier, other: others, [name]: id }).map(
              ([each, one]) => `kubernetes/snapshot/${each} ${one} team/nightly`,
            ),
          ),
          `cut at call ${at}`,
        );
      }
    });

  test("a failed job's cause is told, nothing is left on the VDB, and the same name succeeds later", async () => {
    for (const [words, code] of [
      ["not enough free space in pool: 5 bytes free", status.RESOURCE_EXHAUSTED],
      ["the pool is gone", status.FAILED_PRECONDITION],
    ] as const) {
      await rejects(create({}, { snapshotFailure: words }), refused(code, new RegExp(words, "u")));
      deepEqual(tagsOf(vdb), []);
    }
    await create();
    equal(world.vdbSnapshots.size, 1);
  });

  test("what a killed driver had begun in vain is begun again", async () => {
    await create({}, { snapshotFailure: "the engine was stopped", cut: { at: 6, when: "after" } }).catch(() => undefined);
    equal(snapshotJobs().length, 1, "else this test proves nothing");
    world.endJobs();
    await create();
    equal(world.vdbSnapshots.size, 1);
  });

  test("a VDB that has no room for another name says what to delete", async () => {
    await rejects(
      create({}, { beforeCall: refusesTags }),
      refused(status.RESOURCE_EXHAUSTED, /delete VolumeSnapshots of it .*too large/u),
    );
    equal(snapshotJobs().length, 0);
  });

  test("a name whose snapshot somebody deleted in DCT is taken anew", async () => {
    const gone = idOf(await create());
    world.vdbSnapshots.delete(gone);
    const id = idOf(await create());
    notEqual(id, gone);
    deepEqual(tagsOf(vdb), [{ key: `kubernetes/snapshot/${name}`, value: `${id} team/nightly` }]);
  });

  test("the name of another VDB's snapshot is taken, also while that one is being made", async () => {
    const other = await makeVdb("dlpx-2");
    await create({ sourceVolumeId: other });
    await rejects(create(), refused(status.ALREADY_EXISTS, /snapshot snapshot-7d0c is one of VDB dlpx-2/u));
    const unfinished = { cut: { at: 6, when: "before" as const } };
    await create({ name: "second", sourceVolumeId: other }, unfinished).catch(() => undefined);
    equal(tagsOf(other).length, 2, "else this test proves nothing");
    await rejects(create({ name: "second" }), refused(status.ALREADY_EXISTS, /second/u));
  });

  for (const [what, request, code, words] of [
    ["without a name", { name: "" }, status.INVALID_ARGUMENT, /name is missing/u],
    ["without a volume", { sourceVolumeId: "" }, status.INVALID_ARGUMENT, /source_volume_id is missing/u],
    ["with a name that no search carries", { name: `'"` }, status.INVALID_ARGUMENT, /quotes/u],
    ["of a volume that is not there", { sourceVolumeId: "1-VDB-9" }, status.NOT_FOUND, /there is no VDB 1-VDB-9/u],
  ] as const)
    test(`${what} it is refused`, async () => await rejects(create(request), refused(code, words)));
});

describe("DeleteSnapshot", () => {
  test("snapshot and name are gone; what is not there counts as deleted", async () => {
    const id = idOf(await create());
    await removeSnapshot(id);
    equal(world.vdbSnapshots.size, 0);
    deepEqual(tagsOf(vdb), []);
    deepEqual(await removeSnapshot(id), {});
    deepEqual(await removeSnapshot(`no'"id`), {});
    await rejects(removeSnapshot(""), refused(status.INVALID_ARGUMENT, /snapshot_id/u));
  });

  for (const when of ["before", "after"] as const)
    test(`cut off ${when} any of its calls, the next call deletes it, by one job`, async () => {
      for (let at = 1; ; at += 1) {
        const id = idOf(await create({ name: `${name}-${at}` }));
        const jobs = world.jobs.length;
        const done = await removeSnapshot(id, { cut: { at, when } }).then(
          () => true,
          () => false,
        );
        await removeSnapshot(id);
        deepEqual([world.vdbSnapshots.size, tagsOf(vdb)], [0, []], `cut at call ${at}`);
        equal(world.jobs.length, jobs + 1, `cut at call ${at}`);
        if (done) return;
      }
    });

  test("refused by DCT, its words are told, and the name goes on protecting the snapshot", async () => {
    const id = idOf(await create());
    await rejects(
      removeSnapshot(id, { keeps: "VDB copy depends on it" }),
      refused(status.FAILED_PRECONDITION, /deleting snapshot 1-APPDATA_SNAPSHOT-\d+: VDB copy depends on it/u),
    );
    equal(tagsOf(vdb).length, 1);
  });

  test("a dSource's snapshot is not the driver's to delete", async () => {
    await rejects(
      removeSnapshot("1-APPDATA_SNAPSHOT-production-1"),
      refused(status.FAILED_PRECONDITION, /no VDB: set deletionPolicy: Retain/u),
    );
  });
});

describe("ListSnapshots and GetSnapshot", () => {
  test("every VDB's in pages, none twice, though some go meanwhile; not those of dSources", async () => {
    const ids = [];
    for (const each of ["a", "b", "c", "d"]) ids.push(idOf(await create({ name: each })));
    const wanted = ids.toSorted();
    deepEqual((await list()).ids, wanted);
    const first = await list({ maxEntries: 2 });
    deepEqual(first.ids, wanted.slice(0, 2));
    world.vdbSnapshots.delete(wanted[1] ?? "");
    deepEqual(await list({ maxEntries: 2, startingToken: first.nextToken }), { ids: wanted.slice(2), nextToken: "" });
  });

  test("one that nobody has asked the driver for is found by its id, and not listed", async () => {
    const theirs = await foreign();
    deepEqual((await list()).ids, []);
    deepEqual((await list({ sourceVolumeId: vdb })).ids, []);
    deepEqual((await list({ snapshotId: theirs })).ids, [theirs]);
  });

  test("of one volume, and one by its id", async () => {
    const other = await makeVdb("dlpx-2");
    const [mine, theirs] = [idOf(await create()), idOf(await create({ name: "b", sourceVolumeId: other }))];
    deepEqual((await list({ sourceVolumeId: other })).ids, [theirs]);
    deepEqual((await list({ snapshotId: mine })).ids, [mine]);
    deepEqual((await list({ snapshotId: mine, sourceVolumeId: other })).ids, []);
    deepEqual((await list({ snapshotId: "1-APPDATA_SNAPSHOT-production-1" })).ids, []);
    equal(idOf(await run(getSnapshot, { snapshotId: mine })), mine);
    await rejects(run(getSnapshot, { snapshotId: "none" }), refused(status.NOT_FOUND, /there is no snapshot none/u));
  });

  test("a token of nobody's, and a negative number, are refused", async () => {
    await rejects(list({ startingToken: "17" }), refused(status.ABORTED, /starting_token/u));
    await rejects(list({ maxEntries: -1 }), refused(status.INVALID_ARGUMENT, /negative/u));
  });
});

describe("a volume with snapshots", () => {
  test("stays whole while one stands, and the VolumeSnapshots to delete are named", async () => {
    await create();
    const second = idOf(await create({ name: "b", parameters: {} }));
    await rejects(
      removeVolume(),
      refused(status.FAILED_PRECONDITION, new RegExp(`VDB dlpx-1 .* VolumeSnapshot team/nightly, snapshot ${second} first`, "u")),
    );
    ok(world.vdbs.has(vdb));
    for (const id of world.vdbSnapshots.keys()) await run(deleteSnapshot, { snapshotId: id });
    await removeVolume();
    equal(world.vdbs.has(vdb), false);
  });

  test("goes with those that nobody has named: they are the engine's own", async () => {
    await foreign();
    const named = idOf(await create());
    world.vdbSnapshots.delete(named);
    await removeVolume();
    equal(world.vdbs.has(vdb), false);
  });
});

describe("a volume from a content source", () => {
  test("is made of the snapshot, without any annotation, for its source's user, and says so", async () => {
    const snapshotId = idOf(await create());
    const answer = await copy({ snapshot: { snapshotId } });
    match(JSON.stringify(answer), new RegExp(`"contentSource":\\{"snapshot":\\{"snapshotId":"${snapshotId}"`, "u"));
    deepEqual(world.origins.at(-1), { source: vdb, snapshot: snapshotId });
    deepEqual(
      copied()?.tags?.map(({ value }) => value),
      ["team", "copy", `snapshot ${snapshotId}`, String(1 << 30), "70:70"],
    );
    deepEqual(await copy({ snapshot: { snapshotId } }), answer, "called again");
  });

  test("is made of a volume as it is now: no snapshot is named", async () => {
    match(JSON.stringify(await copy({ volume: { volumeId: vdb } })), new RegExp(`"volume":\\{"volumeId":"${vdb}"`, "u"));
    deepEqual(world.origins.at(-1), { source: vdb, snapshot: undefined });
  });

  test("smaller than the volume that it copies is refused, with the size to write", async () => {
    await rejects(
      copy({ volume: { volumeId: vdb } }, { capacityRange: { requiredBytes: 1 << 20 } }),
      refused(status.OUT_OF_RANGE, /asks for 1048576 bytes, .* set resources.requests.storage to "1073741824" or more/u),
    );
  });

  test("under a name that has a volume of something else is refused", async () => {
    const [first, second] = [idOf(await create()), idOf(await create({ name: "b" }))];
    await copy({ snapshot: { snapshotId: first } });
    await rejects(
      copy({ snapshot: { snapshotId: second } }),
      refused(status.ALREADY_EXISTS, new RegExp(`was not made of snapshot ${second}`, "u")),
    );
  });
});
