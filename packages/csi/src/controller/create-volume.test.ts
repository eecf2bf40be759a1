import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { dSourceId, type FakeDctOptions, FakeWorld } from "@vdb/dct/testing";
import { messageOf } from "../grpc/message.ts";
import { isFinal, RpcError } from "../grpc/rpc-error.ts";
import { aCall } from "../testing/call.ts";
import { refused } from "../testing/refused.ts";
import { kubernetesWith, volumesOn } from "../testing/volumes.ts";
import { createVolume } from "./create-volume.ts";

const annotations = { engineName: "delphix-engine", sourceDBName: "production" };
const name = "dlpx-8a0f7c1e";
const request = {
  name,
  capacityRange: { requiredBytes: 1 << 30 },
  volumeCapabilities: [{ mount: { fsType: "" }, accessMode: { mode: "SINGLE_NODE_WRITER" } }],
  parameters: { "csi.storage.k8s.io/pvc/namespace": "team", "csi.storage.k8s.io/pvc/name": "orders" },
};

interface Given extends FakeDctOptions {
  /** Undefined: the claim is gone. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly request?: object;
  readonly world?: FakeWorld;
  /** When the source has snapshots of. */
  readonly timestamps?: readonly string[];
}

/** One life of the driver: nothing but the world outlives it. */
async function create(given: Given = {}): Promise<object> {
  const written = "annotations" in given ? given.annotations : annotations;
  const kubernetes = await kubernetesWith(written === undefined ? {} : { "team/orders": written });
  const handler = createVolume(volumesOn(given.world ?? new FakeWorld(), given, kubernetes));
  return await handler(messageOf({ ...request, ...given.request }), aCall());
}

describe("CreateVolume", () => {
  test("answers the VDB's id, where its data lies, and the node that holds it", async () => {
    const world = new FakeWorld();
    deepEqual(await create({ world }), {
      volume: {
        volumeId: "1-APPDATA_CONTAINER-1",
        capacityBytes: 1 << 30,
        volumeContext: { exportedDataDirectory: "/pool/vdbs/1-APPDATA_CONTAINER-1", exportedDataPool: "uuid" },
        accessibleTopology: [{ segments: { "topology.defs.csi.delphix.com/node": "node-a" } }],
      },
    });
    const [vdb] = world.vdbs.values();
    equal(vdb?.name, name);
    deepEqual(
      vdb?.tags?.map(({ value }) => value),
      ["team", "orders", "delphix-engine:production", String(1 << 30), "999:999"],
    );
  });

  test("of a dSource its newest snapshot is named; of a VDB none is, so that it is copied as it is now", async () => {
    const world = new FakeWorld();
    await create({ world });
    world.vdbs.set("1-VDB-1", { id: "1-VDB-1", name: "copied", engine_id: "1" });
    const ofVdb = { ...annotations, sourceDBName: "copied" };
    world.timestamps = [];
    await create({ world, annotations: ofVdb, request: { name: "dlpx-copy" } });
    deepEqual(world.origins, [
      { source: dSourceId("production"), snapshot: "1-APPDATA_SNAPSHOT-production-1" },
      { source: "1-VDB-1", snapshot: undefined },
    ]);
  });

  test("called again, it answers the same and makes nothing", async () => {
    const world = new FakeWorld();
    deepEqual(await create({ world }), await create({ world }));
    equal(world.jobs.length, 1);
  });

  for (const showsEarly of [true, false])
    for (const when of ["before", "after"] as const)
      test(`cut off ${when} any of its calls (VDBs shown ${showsEarly ? "early" : "late"}), the next call leaves exactly one VDB`, async () => {
        const everyCall = Array.from({ length: await callsOf(showsEarly) }, (_, index) => index + 1);
        const cutAt = async (at: number): Promise<void> => {
          const world = new FakeWorld();
          await create({ world, showsEarly, cut: { at, when } }).catch((error: unknown) =>
            ok(
              !(error instanceof RpcError) || !isFinal(error.code),
              `call ${at}: a final code, and a VDB may be there: ${String(error)}`,
            ),
          );
          await create({ world, showsEarly });
          world.endJobs();
          equal(world.vdbs.size, 1, `cut at call ${at}`);
        };
        await Promise.all(everyCall.map(cutAt));
      });

  test("a failed job's VDB is gone before the cause is told, and the same name succeeds later", async () => {
    const world = new FakeWorld();
    await rejects(
      create({ world, failure: "not enough free space in pool: 5 bytes free" }),
      refused(status.RESOURCE_EXHAUSTED, /not enough free space in pool: 5 bytes/u),
    );
    equal(world.vdbs.size, 0);
    await create({ world });
    equal(world.vdbs.size, 1);
  });

  test("what a killed driver left of a failed job is removed, and made anew", async () => {
    const world = new FakeWorld();
    const made = await callsUpToProvision();
    await create({ world, failure: "the recovery server ended", cut: { at: made + 2, when: "before" } }).catch(() => undefined);
    equal(world.vdbs.size, 1, "half-made, and still there: else this test proves nothing");
    await create({ world });
    deepEqual([...world.vdbs.keys()], ["1-APPDATA_CONTAINER-4"], "another VDB, not the half-made one");
  });

  test("while what a failed job left cannot be removed, no code is final: the provisioner would forget it", async () => {
    const world = new FakeWorld();
    const made = await callsUpToProvision();
    await create({ world, failure: "the recovery server ended", cut: { at: made + 2, when: "before" } }).catch(() => undefined);
    await rejects(
      create({ world, keeps: "it is in use" }),
      refused(status.ABORTED, /cannot remove what it left: .*it is in use/u),
    );
    equal(world.vdbs.size, 1);
    await create({ world });
    deepEqual([...world.vdbs.keys()], ["1-APPDATA_CONTAINER-4"], "another VDB, not the half-made one");
  });

  test("a VDB of which DCT remembers no more than a later job that failed is not taken for half-made", async () => {
    const world = new FakeWorld();
    await create({ world });
    const [vdb] = world.vdbs.keys();
    world.jobs.splice(0);
    world.jobs.push({ id: "later", type: "DB_SNAPSHOT", status: "FAILED", target_id: vdb ?? "" });
    await create({ world });
    deepEqual([...world.vdbs.keys()], [vdb], "somebody's data, kept");
  });

  test("a claim deleted meanwhile: its VDB is answered, so that the provisioner deletes it", async () => {
    const world = new FakeWorld();
    await create({ world });
    match(JSON.stringify(await create({ world, annotations: undefined })), /1-APPDATA_CONTAINER-1/u);
  });

  test("annotations that name another source than the VDB was made from: refused, and the VDB stays known", async () => {
    const world = new FakeWorld();
    await create({ world });
    const other = { ...annotations, sourceDBName: "staging" };
    await rejects(
      create({ world, annotations: other }),
      refused(status.ABORTED, /has data of delphix-engine:production, .* name .*staging/u),
    );
  });

  const refusals: readonly { name: string; why: string; given: Given; code: status; message: RegExp }[] = [
    {
      name: "an unknown engine",
      why: "the claim can be corrected: NOT_FOUND is final and not on the slow list",
      given: { annotations: { ...annotations, engineName: "nobody" } },
      code: status.NOT_FOUND,
      message: /EngineNotFound: .*"nobody"; known engines: delphix-engine/u,
    },
    {
      name: "an unknown source",
      why: "as above",
      given: { annotations: { ...annotations, sourceDBName: "nothing" } },
      code: status.NOT_FOUND,
      message: /SourceNotFound: .*"nothing"; its dSources: production/u,
    },
    {
      name: "an unknown group",
      why: "as above",
      given: { annotations: { ...annotations, vdbGroupName: "Nowhere" } },
      code: status.NOT_FOUND,
      message: /GroupNotFound: .*Untitled/u,
    },
    {
      name: "an unknown repository",
      why: "as above",
      given: { annotations: { ...annotations, vdbRepositoryName: "Oracle" } },
      code: status.NOT_FOUND,
      message: /no repository "Oracle"; its repositories: Empty vFile Repository/u,
    },
    {
      name: "no source at all",
      why: "an annotation can be added later, so not INVALID_ARGUMENT",
      given: { annotations: { engineName: "delphix-engine" } },
      code: status.FAILED_PRECONDITION,
      message: /annotation sourceDBName is missing/u,
    },
    {
      name: "a source without a snapshot",
      why: "its first one will come",
      given: { timestamps: [] },
      code: status.FAILED_PRECONDITION,
      message: /no snapshot yet/u,
    },
    {
      name: "a claim that is gone, and no VDB",
      why: "final: the provisioner may forget it",
      given: { annotations: undefined },
      code: status.NOT_FOUND,
      message: /claim team\/orders does not exist any more/u,
    },
    {
      name: "block mode",
      why: "a VDB is a folder",
      given: { request: { volumeCapabilities: [{ block: {}, accessMode: { mode: "SINGLE_NODE_WRITER" } }] } },
      code: status.INVALID_ARGUMENT,
      message: /volumeMode Block/u,
    },
    {
      name: "writers on several nodes",
      why: "the data lies on one node",
      given: { request: { volumeCapabilities: [{ mount: {}, accessMode: { mode: "MULTI_NODE_MULTI_WRITER" } }] } },
      code: status.INVALID_ARGUMENT,
      message: /MULTI_NODE_MULTI_WRITER/u,
    },
    {
      name: "a snapshot that is not there",
      why: "CSI wants this code",
      given: { request: { volumeContentSource: { snapshot: { snapshotId: "s" } } } },
      code: status.NOT_FOUND,
      message: /there is no snapshot s$/u,
    },
    {
      name: "a volume that is not there",
      why: "CSI wants this code",
      given: { request: { volumeContentSource: { volume: { volumeId: "1-VDB-9" } } } },
      code: status.NOT_FOUND,
      message: /there is no VDB 1-VDB-9$/u,
    },
    {
      name: "a size beyond the caller's own limit",
      why: "CSI wants this code",
      given: { request: { capacityRange: { requiredBytes: 3, limitBytes: 2 } } },
      code: status.OUT_OF_RANGE,
      message: /3 bytes exceeds the limit of 2 bytes/u,
    },
    {
      name: "a snapshot of a dSource",
      why: "annotations name those",
      given: { request: { volumeContentSource: { snapshot: { snapshotId: "1-APPDATA_SNAPSHOT-production-1" } } } },
      code: status.FAILED_PRECONDITION,
      message: /which is no VDB: .*sourceDBName/u,
    },
    {
      name: "a content source of a kind that nobody knows",
      why: "an empty volume would be data loss",
      given: { request: { volumeContentSource: {} } },
      code: status.INVALID_ARGUMENT,
      message: /neither a snapshot nor a volume/u,
    },
    {
      name: "a provisioner without the claim's name",
      why: "the annotations could not be found",
      given: { request: { parameters: {} } },
      code: status.INVALID_ARGUMENT,
      message: /--extra-create-metadata/u,
    },
    {
      name: "another node than the data's",
      why: "this code makes the scheduler choose again",
      given: {
        request: { accessibilityRequirements: { requisite: [{ segments: { "topology.defs.csi.delphix.com/node": "node-b" } }] } },
      },
      code: status.RESOURCE_EXHAUSTED,
      message: /on node node-a, .* node-b/u,
    },
  ];
  for (const { name: what, why, given, code, message } of refusals)
    test(`refuses ${what}`, async () => {
      const world = new FakeWorld();
      if (given.timestamps !== undefined) world.timestamps = given.timestamps;
      await rejects(create({ world, ...given }), refused(code, message), why);
      equal(world.jobs.length, 0, "nothing was started");
    });

  test("the same name for more bytes is another volume; for less it is the same: it may have been expanded", async () => {
    const world = new FakeWorld();
    const volume = await create({ world });
    deepEqual(await create({ world, request: { capacityRange: { requiredBytes: 2 } } }), volume);
    await rejects(
      create({ world, request: { capacityRange: { requiredBytes: 2 ** 40 } } }),
      refused(status.ALREADY_EXISTS, /not of 1099511627776/u),
    );
  });
});

/** How many calls to DCT one undisturbed CreateVolume makes. */
async function callsOf(showsEarly: boolean): Promise<number> {
  let calls = 0;
  for (let at = 1; at < 100; at += 1) {
    const done = await create({ showsEarly, cut: { at, when: "before" } }).then(
      () => true,
      () => false,
    );
    if (done) return calls;
    calls = at;
  }
  throw new Error("CreateVolume makes more than 100 calls");
}

/** The number of the call that starts the provisioning: the first whose loss leaves a job. */
async function callsUpToProvision(): Promise<number> {
  for (let at = 1; at < 100; at += 1) {
    const world = new FakeWorld();
    await create({ world, cut: { at, when: "after" } }).catch(() => undefined);
    if (world.jobs.length > 0) return at;
  }
  throw new Error("CreateVolume never provisioned");
}
