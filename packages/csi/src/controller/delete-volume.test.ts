import { deepEqual, equal, rejects } from "node:assert/strict";
import { describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { KeyedLock } from "../grpc/keyed-lock.ts";
import { messageOf } from "../grpc/message.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { aCall } from "../testing/call.ts";
import { type FakeDctOptions, FakeWorld, fakeDct } from "../testing/fake-dct.ts";
import { deleteVolume } from "./delete-volume.ts";

async function remove(world: FakeWorld, volumeId: string, options: FakeDctOptions = {}): Promise<object> {
  const handler = deleteVolume({
    kubernetes: { get: async () => undefined, [Symbol.asyncDispose]: async () => undefined },
    dct: { connect: async () => fakeDct(world, options), [Symbol.asyncDispose]: async () => undefined },
    defaults: { vdbGroupName: "Untitled", vdbStageMountpath: "/mnt/postgres", ownershipSpec: "999:999" },
    locks: new KeyedLock(),
  });
  return await handler(messageOf({ volumeId }), aCall());
}

async function worldWithVdb(): Promise<{ readonly world: FakeWorld; readonly id: string }> {
  const world = new FakeWorld();
  const dct = fakeDct(world);
  const { vdbId, jobId } = await dct.provisionBySnapshot({ name: "dlpx-1" });
  await dct.getJob(jobId);
  return { world, id: vdbId };
}

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

  test("without an id it is refused", async () => {
    await rejects(remove(new FakeWorld(), ""), (error) => error instanceof RpcError && error.code === status.INVALID_ARGUMENT);
  });
});
