import { deepEqual, equal, rejects } from "node:assert/strict";
import { describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { DctError } from "@vdb/dct";
import { dSourceId, type FakeDctOptions, FakeWorld, fakeDct } from "@vdb/dct/testing";
import { messageOf } from "../grpc/message.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { aCall } from "../testing/call.ts";
import { kubernetesWith, volumesOn } from "../testing/volumes.ts";
import { deleteVolume } from "./delete-volume.ts";

async function remove(world: FakeWorld, volumeId: string, options: FakeDctOptions = {}): Promise<object> {
  const handler = deleteVolume(volumesOn(world, options, await kubernetesWith({})));
  return await handler(messageOf({ volumeId }), aCall());
}

async function worldWithVdb(): Promise<{ readonly world: FakeWorld; readonly id: string }> {
  const world = new FakeWorld();
  const dct = fakeDct(world);
  const { vdbId, jobId } = await dct.provisionBySnapshot({ name: "dlpx-1", source_data_id: dSourceId("production") });
  await dct.getJob(jobId);
  return { world, id: vdbId };
}

const refusesDeletes = (call: string): void => {
  if (call === "delete") throw new DctError("unauthorized", "no such key");
};

describe("DeleteVolume", () => {
  test("the VDB is gone when it answers", async () => {
    const { world, id } = await worldWithVdb();
    await remove(world, id);
    equal(world.vdbs.size, 0);
  });

  test("a VDB that is not there counts as deleted: the provisioner repeats a call whose answer it lost", async () => {
    deepEqual(await remove(new FakeWorld(), "1-APPDATA_CONTAINER-99"), {});
  });

  test("a deletion under way is waited for, not started again", async () => {
    const { world, id } = await worldWithVdb();
    await fakeDct(world).deleteVdb(id);
    await remove(world, id);
    equal(world.jobs.filter(({ type }) => type === "DB_DELETE").length, 1);
  });

  for (const when of ["before", "after"] as const)
    test(`cut off ${when} any of its calls, the next call deletes it, by one job`, async () => {
      for (let at = 1; at <= 5; at += 1) {
        const { world, id } = await worldWithVdb();
        await remove(world, id, { cut: { at, when } }).catch(() => undefined);
        await remove(world, id);
        equal(world.vdbs.size, 0, `cut at call ${at}`);
        equal(world.jobs.filter(({ type }) => type === "DB_DELETE").length, 1, `cut at call ${at}`);
      }
    });

  for (const why of [
    "VDB dlpx-1 is locked by account 1: unlock it first",
    "VDB dlpx-1 has the clone orders-copy: delete it first",
  ])
    test(`what DCT refuses is told in its words, and a later call deletes it: ${why}`, async () => {
      const { world, id } = await worldWithVdb();
      const beforeCall = (call: string): void => {
        if (call === "delete") throw new DctError("conflict", why);
      };
      await rejects(remove(world, id, { beforeCall }), {
        code: status.FAILED_PRECONDITION,
        message: `deleting VDB dlpx-1 (${id}): ${why}`,
      });
      equal(world.vdbs.size, 1);
      await remove(world, id);
      equal(world.vdbs.size, 0);
    });

  test("a key that DCT refuses is no word on this VDB: the connection may find another key in the Secret", async () => {
    const { world, id } = await worldWithVdb();
    await rejects(
      remove(world, id, { beforeCall: refusesDeletes }),
      (error) => error instanceof DctError && error.kind === "unauthorized",
    );
  });

  test("without an id it is refused", async () => {
    await rejects(remove(new FakeWorld(), ""), (error) => error instanceof RpcError && error.code === status.INVALID_ARGUMENT);
  });
});
