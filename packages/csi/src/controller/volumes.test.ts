/** What is asked about volumes that are there: how large they are to be, which there are. */
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { dSourceId, type FakeDctOptions, FakeWorld, fakeDct } from "@vdb/dct/testing";
import type { Handler } from "../grpc/handler.ts";
import { messageOf } from "../grpc/message.ts";
import { aCall } from "../testing/call.ts";
import { refused } from "../testing/refused.ts";
import { kubernetesWith, volumesOn } from "../testing/volumes.ts";
import { controllerExpandVolume } from "./controller-expand-volume.ts";
import { controllerGetVolume } from "./controller-get-volume.ts";
import { controllerPublishVolume } from "./controller-publish-volume.ts";
import { controllerUnpublishVolume } from "./controller-unpublish-volume.ts";
import { type ControllerVolumes, createVolume } from "./create-volume.ts";
import { listVolumes } from "./list-volumes.ts";

const gibibyte = 2 ** 30;
let world: FakeWorld;
beforeEach(() => {
  world = new FakeWorld();
});

/** One call in one life of the driver: nothing but the world outlives it. */
async function run(
  handler: (volumes: ControllerVolumes) => Handler,
  request: object,
  options: FakeDctOptions = {},
): Promise<object> {
  const kubernetes = await kubernetesWith({ "team/orders": { engineName: "delphix-engine", sourceDBName: "production" } });
  return await handler(volumesOn(world, options, kubernetes))(messageOf(request), aCall());
}

const create = async (name: string, more: object = {}): Promise<{ readonly id: string; readonly answer: object }> => {
  const answer = await run(createVolume, {
    name,
    capacityRange: { requiredBytes: gibibyte },
    volumeCapabilities: [{ mount: {}, accessMode: { mode: "SINGLE_NODE_WRITER" } }],
    parameters: { "csi.storage.k8s.io/pvc/namespace": "team", "csi.storage.k8s.io/pvc/name": "orders" },
    ...more,
  });
  return { id: messageOf(answer).message("volume")?.string("volumeId") ?? "", answer };
};
const capacityOf = async (volumeId: string): Promise<number | undefined> =>
  messageOf(await run(controllerGetVolume, { volumeId }))
    .message("volume")
    ?.number("capacityBytes");
const expand = async (volumeId: string, requiredBytes: number, options: FakeDctOptions = {}) =>
  await run(controllerExpandVolume, { volumeId, capacityRange: { requiredBytes } }, options);
const list = async (request: object = {}) => {
  const answer = messageOf(await run(listVolumes, request));
  const ids = answer.messages("entries").map((entry) => entry.message("volume")?.string("volumeId"));
  return { ids, nextToken: answer.string("nextToken") };
};

describe("ControllerExpandVolume", () => {
  test("the larger size holds, in every answer about the volume, and no node has anything to do", async () => {
    const { id } = await create("a");
    deepEqual(await expand(id, 3 * gibibyte), { capacityBytes: 3 * gibibyte, nodeExpansionRequired: false });
    equal(await capacityOf(id), 3 * gibibyte);
    equal((await create("a")).id, id, "the same volume to a CreateVolume that is repeated");
    equal(world.jobs.length, 1, "nothing is made, and no job of DCT is needed");
  });

  test("a size that it has already, or less, is answered and written nowhere: there is no way back", async () => {
    const { id } = await create("a");
    const tags = world.vdb(id)?.tags;
    for (const bytes of [gibibyte, 1])
      deepEqual(await expand(id, bytes), { capacityBytes: gibibyte, nodeExpansionRequired: false });
    deepEqual(world.vdb(id)?.tags, tags);
  });

  for (const when of ["before", "after"] as const)
    test(`cut off ${when} any of its calls, the next call has the size`, async () => {
      for (let at = 1; at <= 3; at += 1) {
        const { id } = await create(`cut-${at}`);
        await expand(id, 2 * gibibyte, { cut: { at, when } }).catch(() => undefined);
        await expand(id, 2 * gibibyte);
        equal(await capacityOf(id), 2 * gibibyte);
      }
    });

  const block = { block: {}, accessMode: { mode: "SINGLE_NODE_WRITER" } };
  const capacityRange = { requiredBytes: 2 };
  const refusals = [
    { name: "no volume", request: { capacityRange }, code: status.INVALID_ARGUMENT, message: /volume_id/u },
    { name: "no size", request: { volumeId: "v" }, code: status.INVALID_ARGUMENT, message: /capacity_range/u },
    {
      name: "block mode",
      request: { volumeId: "v", capacityRange, volumeCapability: block },
      code: status.INVALID_ARGUMENT,
      message: /Block/u,
    },
    {
      name: "a volume that is not there",
      request: { volumeId: "v", capacityRange },
      code: status.NOT_FOUND,
      message: /no VDB v$/u,
    },
    { name: "what is no id", request: { volumeId: `'"`, capacityRange }, code: status.NOT_FOUND, message: /no VDB/u },
  ];
  for (const { name, request, code, message } of refusals)
    test(`refuses ${name}`, async () => await rejects(run(controllerExpandVolume, request), refused(code, message)));

  test("refuses a limit below the size that the volume has", async () => {
    const { id } = await create("a");
    await rejects(
      run(controllerExpandVolume, { volumeId: id, capacityRange: { requiredBytes: 1, limitBytes: 5 } }),
      refused(status.OUT_OF_RANGE, /limit of 5 bytes/u),
    );
  });
});

const volumeCapability = { mount: {}, accessMode: { mode: "SINGLE_NODE_WRITER" } };
const publish = async (volumeId: string, options: FakeDctOptions = {}, more: object = {}) =>
  await run(controllerPublishVolume, { volumeId, nodeId: "node-a", volumeCapability, ...more }, options);
const unpublish = async (volumeId: string, options: FakeDctOptions = {}) =>
  await run(controllerUnpublishVolume, { volumeId, nodeId: "node-a" }, options);

describe("ControllerPublishVolume and ControllerUnpublishVolume", () => {
  test("a VDB is enabled while it is published, and each change is one job, however often it is asked for", async () => {
    const { id } = await create("a");
    for (const _ of [1, 2]) deepEqual(await unpublish(id), {});
    equal(world.vdb(id)?.enabled, false);
    for (const _ of [1, 2]) deepEqual(await publish(id), {});
    equal(world.vdb(id)?.enabled, true);
    deepEqual(
      world.jobs.map(({ type }) => type),
      ["DB_PROVISION", "DB_DISABLE", "DB_ENABLE"],
    );
  });

  for (const when of ["before", "after"] as const)
    test(`cut off ${when} any of its calls, the next call disables it, by one job`, async () => {
      for (let at = 1; at <= 5; at += 1) {
        const { id } = await create(`cut-${at}`);
        await unpublish(id, { cut: { at, when } }).catch(() => undefined);
        await unpublish(id);
        equal(world.vdb(id)?.enabled, false, `cut at call ${at}`);
        equal(world.jobs.filter((job) => job.type === "DB_DISABLE" && job.target_id === id).length, 1, `cut at call ${at}`);
      }
    });

  test("a volume that is gone is no node's; another node than the data's, and what says too little, are refused", async () => {
    deepEqual(await unpublish("v"), {});
    await rejects(publish("v"), refused(status.NOT_FOUND, /no VDB v$/u));
    const { id } = await create("a");
    await rejects(publish(id, {}, { nodeId: "node-b" }), refused(status.NOT_FOUND, /node-b does not have .* on node node-a/u));
    for (const missing of ["volumeId", "nodeId", "volumeCapability"])
      await rejects(publish(id, {}, { [missing]: undefined }), refused(status.INVALID_ARGUMENT, /is missing/u));
  });
});

describe("ListVolumes and ControllerGetVolume", () => {
  test("every volume of the driver in pages, none twice, though some go meanwhile; not the VDBs of others", async () => {
    const ids = [];
    for (const name of ["a", "b", "c"]) ids.push((await create(name)).id);
    const { jobId } = await fakeDct(world).provisionBySnapshot({ name: "theirs", source_data_id: dSourceId("production") });
    await fakeDct(world).getJob(jobId);
    deepEqual(await list(), { ids, nextToken: "" });
    const first = await list({ maxEntries: 2 });
    deepEqual(first.ids, ids.slice(0, 2));
    world.vdbs.delete(ids[1] ?? "");
    deepEqual(await list({ maxEntries: 2, startingToken: first.nextToken }), { ids: ids.slice(2), nextToken: "" });
    await rejects(list({ startingToken: "17" }), refused(status.ABORTED, /starting_token/u));
  });

  test("a volume looks as CreateVolume has described it, with what it was made of", async () => {
    const { id } = await create("a");
    const copy = await create("b", { volumeContentSource: { volume: { volumeId: id } } });
    deepEqual(await run(controllerGetVolume, { volumeId: copy.id }), { ...copy.answer, status: {} });
    const words = JSON.stringify(copy.answer);
    match(words, new RegExp(`"contentSource":\\{"volume":\\{"volumeId":"${id}"`, "u"));
    match(words, /"exportedDataDirectory":.*"topology.defs.csi.delphix.com\/node":"node-a"/u);
  });

  test("what another engine exports is a path of ZFS at that engine: every node reaches it", async () => {
    const { id } = await create("a");
    const { exported_data_pool: _, ...vdb } = world.vdb(id) ?? { id };
    world.vdbs.set(id, { ...vdb, exported_data_directory: "domain0/group-1/vdb-7/datafile", nfs_version: 4 });
    const volume = messageOf(await run(controllerGetVolume, { volumeId: id })).message("volume");
    deepEqual(volume?.strings("volumeContext"), {
      exportedDataDirectory: "/domain0/group-1/vdb-7/datafile",
      exportedHost: "delphix-engine.storage.svc",
      exportedNfsVersion: "4",
    });
    deepEqual(volume?.messages("accessibleTopology"), []);
  });

  test("refuses a volume that is not there", async () => {
    await rejects(run(controllerGetVolume, { volumeId: "v" }), refused(status.NOT_FOUND, /no VDB v$/u));
    await rejects(run(controllerGetVolume, {}), refused(status.INVALID_ARGUMENT, /volume_id/u));
  });
});
