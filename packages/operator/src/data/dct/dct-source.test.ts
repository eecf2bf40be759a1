import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { describe, test } from "node:test";
import { type DctClient, type DctConnection, DctError, DctNotConfigured } from "@vdb/dct";
import { dSourceId, FakeWorld, fakeDct } from "@vdb/dct/testing";
import { createClient, defineResource, type KubeObject, persistentVolumes } from "kube-runtime";
import { memoryApi } from "kube-runtime/testing";
import { readConfig } from "../../config.ts";
import { aVdb } from "../../vdb/testing.ts";
import type { DataSource, Gone } from "../source.ts";
import { createDctSource, type DctSourceOptions } from "./dct-source.ts";

const forever = new AbortController().signal;
const anyClient = createClient(memoryApi(), { fieldManager: "test" });
const { defaults } = readConfig([], {});
const id = "1-APPDATA_CONTAINER-7";

/** A connection to one client, without credentials to renew. */
const to = (client: DctClient): Pick<DctConnection, "call"> => ({
  call: async (work) => await work(client),
});
const sourceOf = (
  world: FakeWorld,
  options: Parameters<typeof fakeDct>[1] = {},
  isShut: (id: string) => boolean = () => false,
  mustAllowCopy: DctSourceOptions["mustAllowCopy"] = async () => undefined,
): DataSource => createDctSource({ dct: to(fakeDct(world, options)), defaults, isShut, mustAllowCopy });
const failing = (error: Error): DataSource =>
  createDctSource({
    dct: {
      call: async () => {
        throw error;
      },
    },
    defaults,
    isShut: () => false,
    mustAllowCopy: async () => undefined,
  });

function aWorld(vdb: object = {}): FakeWorld {
  const world = new FakeWorld();
  world.timestamps = ["2025-12-31T23:00:00Z", "2026-01-01T00:00:00Z"];
  world.vdbs.set(id, { id, name: "dlpx-c", engine_id: "1", status: "RUNNING", enabled: true, ...vdb });
  return world;
}

const referring = (reference: string, spec: object = {}) =>
  aVdb({ spec: { source: { type: "dct-source", reference }, ...spec } });

describe("resolve", () => {
  const rows: { name: string; why: string; vdb: ReturnType<typeof aVdb>; shut?: boolean; want: string }[] = [
    { name: "a dSource", why: "what is found is taken", vdb: referring("delphix-engine:production"), want: "ok" },
    { name: "a VDB that clients use", why: "its data is fit to be seen", vdb: referring("delphix-engine:dlpx-c"), want: "ok" },
    {
      name: "a VDB whose gate is shut",
      why: "a copy of it would be a way around its hooks",
      vdb: referring("delphix-engine:dlpx-c"),
      shut: true,
      want: "SourceNotReady",
    },
    { name: "a dSource that is not there", why: "a person mends it", vdb: referring("delphix-engine:x"), want: "SourceNotFound" },
    { name: "an engine that is not there", why: "a person mends it", vdb: referring("e:production"), want: "EngineNotFound" },
    {
      name: "a group that is not there",
      why: "it is told before anything is made",
      vdb: referring("delphix-engine:production", { vdbGroupName: "no-such" }),
      want: "GroupNotFound",
    },
  ];
  for (const { name, why, vdb, shut = false, want } of rows)
    test(name, async () => {
      const found = await sourceOf(aWorld(), {}, (one) => shut && one === id).resolve(anyClient, vdb, forever);
      equal(found.ok ? "ok" : found.reason, want, why);
    });

  test("an outage is thrown: it is no answer about the source", async () => {
    await rejects(failing(new DctError("unreachable", "down")).resolve(anyClient, aVdb(), forever), DctError);
  });
});

test("claimFor: the driver reads in the annotations what to provision, and users find the claim by the same labels", async () => {
  const source = sourceOf(aWorld());
  const found = await source.resolve(anyClient, aVdb(), forever);
  if (!found.ok) throw new Error(found.message);
  const plan = source.claimFor(aVdb({ spec: { mountPath: "/data" } }), found.source);
  if (plan.kind !== "make") throw new Error(plan.kind);
  const { labels, annotations, sizeBytes } = plan;
  equal(sizeBytes, 3 * 2 ** 30 + 1);
  const values = Object.values(annotations);
  for (const value of ["production", "delphix-engine", "dev-env", "/data"]) equal(values.includes(value), true, value);
  equal(Object.values(labels).includes("production"), true);
});

describe("facts", () => {
  const parent = dSourceId("production");
  const rows: { name: string; vdb: object; want: unknown }[] = [
    {
      name: "the snapshot that was taken, whichever is the newest by now",
      vdb: { parent_id: parent, parent_timeflow_timestamp: "2025-12-31T23:00:00Z" },
      want: {
        dataTimestamp: "2025-12-31T23:00:00Z",
        snapshot: { id: "1-APPDATA_SNAPSHOT-production-1", name: "@2025-12-31T23:00:00Z" },
      },
    },
    {
      name: "a snapshot that is there no longer leaves the moment",
      vdb: { parent_id: parent, parent_timeflow_timestamp: "2020-01-01T00:00:00Z" },
      want: { dataTimestamp: "2020-01-01T00:00:00Z", snapshot: undefined },
    },
    { name: "a VDB that does not say what it was made from", vdb: {}, want: undefined },
  ];
  for (const { name, vdb, want } of rows)
    test(name, async () => deepEqual(await sourceOf(aWorld(vdb)).facts(id, forever), { kind: "told", value: want }));

  test("an outage is an answer, a bug is not", async () => {
    const outage = await failing(new DctError("server", "502")).facts(id, forever);
    match(outage.kind === "untold" ? outage.message : "", /DCT answers with an error: 502/u);
    await rejects(failing(new TypeError("a bug")).facts(id, forever), TypeError);
  });
});

const storage = { group: "storage.k8s.io", version: "v1", namespaced: false } as const;
type Any = KubeObject & { spec: object };
const csiDrivers = defineResource<Any>({ ...storage, kind: "CSIDriver", plural: "csidrivers" });
const volumeAttachments = defineResource<Any>({ ...storage, kind: "VolumeAttachment", plural: "volumeattachments" });

describe("setAttached", () => {
  const volume = { name: "dlpx-c", handle: id };
  interface Row {
    readonly name: string;
    readonly why: string;
    readonly wanted: boolean;
    readonly attachRequired?: boolean;
    readonly attached?: boolean;
    readonly enabled?: boolean;
    readonly inKubernetes?: boolean;
    readonly running?: boolean;
    readonly want: string;
    readonly jobs: readonly string[];
  }
  const rows: readonly Row[] = [
    { name: "enabled already", why: "nothing is to be done", wanted: true, want: "asWanted", jobs: [] },
    {
      name: "disabled, and a pod is to start",
      why: "a pod on a disabled VDB finds no data",
      wanted: true,
      enabled: false,
      want: "asWanted",
      jobs: ["DB_ENABLE"],
    },
    { name: "enabled, and no pod uses it", why: "it rests", wanted: false, want: "asWanted", jobs: ["DB_DISABLE"] },
    { name: "disabled already", why: "the job is not repeated", wanted: false, enabled: false, want: "asWanted", jobs: [] },
    {
      name: "a job that somebody began runs",
      why: "an operator that died may have begun it: it is waited for",
      wanted: false,
      running: true,
      want: "underWay",
      jobs: ["DB_REFRESH"],
    },
    {
      name: "Kubernetes attaches, and a pod is to start",
      why: "the driver enables as it attaches",
      wanted: true,
      attachRequired: true,
      enabled: false,
      want: "asWanted",
      jobs: [],
    },
    {
      name: "Kubernetes attaches, and the attachment is there",
      why: "the driver has yet to disable",
      wanted: false,
      attachRequired: true,
      attached: true,
      want: "underWay",
      jobs: [],
    },
    {
      name: "Kubernetes has detached",
      why: "the driver has disabled before the attachment went",
      wanted: false,
      attachRequired: true,
      want: "asWanted",
      jobs: [],
    },
    {
      name: "a volume that is no longer in Kubernetes",
      why: "there is nothing that a pod could use",
      wanted: false,
      inKubernetes: false,
      want: "asWanted",
      jobs: [],
    },
  ];
  for (const { name, why, wanted, attachRequired = false, attached = false, enabled = true, want, jobs, ...row } of rows)
    test(name, async () => {
      const client = createClient(memoryApi(), { fieldManager: "test" });
      await client.create(csiDrivers, { metadata: { name: "defs.csi.delphix.com" }, spec: { attachRequired } }, forever);
      const csi = { driver: "defs.csi.delphix.com", volumeHandle: id };
      if (row.inKubernetes !== false)
        await client.create(persistentVolumes, { metadata: { name: volume.name }, spec: { csi } }, forever);
      const other = { metadata: { name: "a" }, spec: { source: { persistentVolumeName: attached ? volume.name : "another" } } };
      await client.create(volumeAttachments, other, forever);
      const world = aWorld({ enabled });
      if (row.running === true) world.startJob({ type: "DB_REFRESH", targetId: id }, "untilLooked", () => undefined);
      const found = await sourceOf(world, { jobs: 1 }).setAttached(client, volume, wanted, forever);
      equal(found.kind, want, why);
      deepEqual(
        world.jobs.map(({ type }) => type),
        jobs,
        why,
      );
    });

  test("a job that fails is told in DCT's words", async () => {
    const world = aWorld();
    const client = createClient(memoryApi(), { fieldManager: "test" });
    await client.create(csiDrivers, { metadata: { name: "d" }, spec: { attachRequired: false } }, forever);
    const csi = { driver: "d", volumeHandle: id };
    await client.create(persistentVolumes, { metadata: { name: volume.name }, spec: { csi } }, forever);
    const played = fakeDct(world);
    const failure = "the environment is away";
    const disableVdb: DctClient["disableVdb"] = async () =>
      await Promise.resolve({ jobId: world.startJob({ type: "DB_DISABLE", targetId: id, failure }, 1, () => undefined).id });
    const source = createDctSource({
      dct: to({ ...played, disableVdb }),
      defaults,
      isShut: () => false,
      mustAllowCopy: async () => undefined,
    });
    const found = await source.setAttached(client, volume, false, forever);
    deepEqual(found.kind === "refused" ? found.reason : found, "DctFailed");
    match(found.kind === "refused" ? found.message : "", /DCT disables the VDB .*the environment is away/u);
  });

  test("no volume yet: DCT is not asked", async () => {
    const client = createClient(memoryApi(), { fieldManager: "test" });
    const found = await failing(new DctError("server", "not to be asked")).setAttached(
      client,
      { name: "", handle: "" },
      false,
      forever,
    );
    equal(found.kind, "asWanted");
  });
});

describe("gone", () => {
  const rows: { name: string; source: DataSource; volume: string; want: Gone["kind"] }[] = [
    { name: "DCT has it no longer", source: sourceOf(aWorld()), volume: "dlpx-another", want: "gone" },
    { name: "DCT still has it", source: sourceOf(aWorld()), volume: "dlpx-c", want: "remains" },
    { name: "DCT does not answer", source: failing(new DctError("unreachable", "down")), volume: "dlpx-c", want: "unknown" },
    { name: "no DCT is configured", source: failing(new DctNotConfigured("no Secret")), volume: "dlpx-c", want: "unknown" },
  ];
  for (const { name, source, volume, want } of rows)
    test(name, async () => equal((await source.gone(volume, forever)).kind, want));
});

/** A VDB of four timeflows: the current one, what it had before, and two from before that. */
