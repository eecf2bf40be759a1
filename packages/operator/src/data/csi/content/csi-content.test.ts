import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { describe, test } from "node:test";
import type { PostgresVDB, RewindSnapshotRef, VdbContent } from "@vdb/api";
import * as fc from "fast-check";
import { type Api, ApiError, createClient, interceptApi, persistentVolumeClaims } from "kube-runtime";
import { memoryApi } from "kube-runtime/testing";
import { readConfig } from "../../../config.ts";
import { ownerOf } from "../../../vdb/names.ts";
import { aVdb } from "../../../vdb/testing.ts";
import { ActionFailed } from "../../action-failed.ts";
import type { Work } from "../../content-store.ts";
import { contentContract } from "../../testing/content-contract.ts";
import { makeSnapshot, makeStorage, playStorage, takenAt } from "../../testing/csi-storage.ts";
import type { CsiWorld } from "../csi-world.ts";
import { stageLabel } from "../stage.ts";
import { actionLabel, snapshotOfLabel, volumeSnapshotClasses, volumeSnapshots } from "../volume-snapshots.ts";
import { type Change, changeIn, changeText } from "./change.ts";
import { createCsiContent } from "./csi-content.ts";

const { signal } = new AbortController();
const config = { watchNamespaces: [], allowCrossNamespace: false, defaults: readConfig([], {}).defaults };
const first: VdbContent = {
  id: "c1",
  madeBy: "create",
  openedTime: "2026-01-01T00:10:00Z",
  claimName: "orders-c1",
  handle: "handle-of-orders-c1",
};
type Source = PostgresVDB["spec"]["source"];
const from = {
  claim: { type: "pvc-clone", reference: "origin" },
  snapshot: { type: "k8s-snapshot", reference: "monday" },
  itself: { type: "pvc-adopt", reference: "orders-c1" },
} as const satisfies Record<string, Source>;

/** A storage that does its work before each call of the operator, and tells which claims there are. */
function stage(source: Source, warning?: string) {
  const memory = memoryApi();
  const plain = createClient(memory, { fieldManager: "cluster" });
  const there = new Set<string>();
  const made: string[] = [];
  const state = { down: false, begun: undefined as Promise<void> | undefined };
  const status = { delphixID: "h", pvcName: "orders-c1", source: { type: source.type, name: "origin", namespace: "shop" } };
  const vdbWith = (more: Partial<PostgresVDB["status"]>, spec: object = {}) =>
    aVdb({ spec: { source, ...spec }, status: { ...status, ...more } });
  const turn = async (): Promise<void> => {
    state.begun ??= makeStorage(plain, vdbWith({}));
    await state.begun;
    if (warning === undefined) await playStorage(plain);
    there.clear();
    for (const { metadata } of (await plain.list(persistentVolumeClaims, {}, signal)).items) there.add(metadata.name);
  };
  const events = [
    {
      type: "Warning",
      note: warning,
      metadata: { name: "e", namespace: "shop", uid: "e", resourceVersion: "1", creationTimestamp: takenAt },
    },
  ];
  const api: Api = interceptApi(memory, {
    call: async (call, next) => {
      if (state.down) throw new ApiError({ kind: "unavailable" }, "down");
      await turn();
      if (call.resource.plural === "events")
        return { metadata: { resourceVersion: "1" }, items: warning === undefined ? [] : events };
      if (call.verb === "create") made.push(call.resource.plural);
      const answer = await next();
      await turn();
      return answer;
    },
  });
  const client = createClient(api, { fieldManager: "test" });
  const world: CsiWorld = {
    config,
    vdbs: () => [vdbWith({ content: first })],
    serverOf: () => "silent",
    checkpoint: async () => undefined,
    dct: { setAttached: async () => ({ kind: "asWanted" }) },
    now: Date.now,
  };
  const work = (more: Partial<PostgresVDB["status"]>, uid = "u", spec: object = {}): Work => ({
    client,
    vdb: vdbWith(more, spec),
    action: { name: "monday", uid },
  });
  const store = createCsiContent(world);
  return { store, work, plain, there, made, turn, breakDown: () => void (state.down = true) };
}

for (const [name, source, kind] of [
  ["a claim", from.claim, "volumesnapshots"],
  ["a VolumeSnapshot", from.snapshot, "persistentvolumeclaims"],
] as const)
  contentContract(`CSI from ${name}`, () => {
    const { store, work, there, made, breakDown } = stage(source);
    there.add("orders-c1"); // before the first call
    return {
      store,
      inPlace: false,
      work,
      first,
      dataOf: ({ claimName = "" }) => (there.has(claimName) ? claimName : undefined),
      changes: () => made.filter((plural) => plural === kind).length,
      breakDown,
    };
  });

test("the text of a change is read back as it was", () => {
  const word = fc.stringMatching(/^[a-z0-9]([-.a-z0-9]{0,60}[a-z0-9])?$/u).filter((text) => text !== "none");
  const taken = fc.constantFrom("open" as const, "unknown" as const);
  const volume = fc.record(
    {
      kind: fc.constantFrom("PersistentVolumeClaim" as const, "VolumeSnapshot" as const),
      namespace: word,
      name: word,
      storageClassName: word,
      crashConsistent: fc.boolean(),
      snapshotClassName: word,
    },
    { requiredKeys: ["kind", "namespace", "name", "storageClassName", "crashConsistent"], noNullPrototype: true },
  );
  const changes: fc.Arbitrary<Change> = fc.oneof(
    fc.record({ kind: fc.constant("return" as const), claim: word, taken }),
    fc.record({
      kind: fc.constant("copy" as const),
      claim: word,
      from: volume,
      sizeBytes: fc.nat(),
      verb: fc.constantFrom("refresh" as const, "rewind" as const),
      taken,
    }),
  );
  fc.assert(fc.property(changes, (change) => deepEqual(changeIn(changeText(change)), { ...change })));
});

const own = (uid = "uid-of-orders") => ({ [actionLabel]: "u0", [snapshotOfLabel]: uid });

describe("what a database of plain CSI can be given", () => {
  test("the latest own snapshot is one of an action, or one of its claim since the gate opened", async () => {
    const { store, work, plain, turn } = stage(from.claim);
    await turn();
    await makeSnapshot(plain, "theirs", "origin");
    await makeSnapshot(plain, "own", "orders-c1", own());
    const { snapshot, takenOpen, text } = await store.choose(
      work({ content: first }),
      { change: "rewind", ref: undefined },
      signal,
    );
    deepEqual([snapshot.name, takenOpen, changeIn(text).taken], ["own", true, "open"]);
  });

  test("what another database's copy is made through is no snapshot to return to", async () => {
    const { store, work, plain, turn } = stage(from.claim);
    await turn();
    await makeSnapshot(plain, "vdb-of-another", "orders-c1", { [stageLabel]: "uid-of-another" });
    await rejects(
      store.choose(work({ content: first }), { change: "rewind", ref: undefined }, signal),
      /no VolumeSnapshot that was/u,
    );
  });

  test("an own snapshot of before the opening has to be named, and is no state that hooks have seen", async () => {
    const { store, work, plain, turn } = stage(from.claim);
    await turn();
    await makeSnapshot(plain, "early", "orders-c1");
    const content = { ...first, openedTime: "2026-01-01T00:30:00Z" }; // after the snapshot
    await rejects(store.choose(work({ content }), { change: "rewind", ref: undefined }, signal), /there: early$/u);
    const ref = { type: "volume-snapshot", name: "early" } as const;
    equal((await store.choose(work({ content }), { change: "rewind", ref }, signal)).takenOpen, false);
  });

  test("new data is as large as its source has grown, with the database's labels, and says its moment", async () => {
    const { store, work, plain, there } = stage(from.snapshot);
    const { text } = await store.choose(work({ content: first }), { change: "refresh", ref: undefined }, signal);
    const larger = text.replace(/size \d+$/u, `size ${5 * 2 ** 30}`);
    const of = work({ content: first }, "u", { storageSize: "2Gi" });
    for (let i = 0; i < 5; i += 1) await store.prepare.end(of, larger, signal);
    const { claim } = changeIn(text);
    ok(there.has(claim));
    const { metadata, spec } = await plain.get(persistentVolumeClaims, { namespace: "shop", name: claim }, signal);
    deepEqual([spec.resources?.requests?.["storage"], spec.dataSource?.name], ["5Gi", "monday"]);
    equal(metadata.labels?.[actionLabel], "u");
    const { dataTimestamp, handle } = await store.brought(of, larger, signal);
    deepEqual([dataTimestamp, handle], [takenAt, `handle-of-${claim}`]);
  });

  test("nothing of the copy's way is left", async () => {
    const { store, work, plain } = stage(from.claim);
    const { text } = await store.choose(work({ content: first }), { change: "refresh", ref: undefined }, signal);
    for (let i = 0; i < 6; i += 1) await store.prepare.end(work({ content: first }), text, signal);
    const { items } = await plain.list(volumeSnapshots, {}, signal);
    deepEqual(
      items.map(({ metadata }) => metadata.name),
      ["monday"],
    );
  });
});

test("a copy that is taken back before it has its claim leaves nothing of its way", async () => {
  const { store, work, plain, made } = stage(from.claim);
  const { text } = await store.choose(work({ content: first }), { change: "refresh", ref: undefined }, signal);
  await store.prepare.begin(work({ content: first }), text, signal);
  deepEqual(made, ["volumesnapshots"]);
  await store.clear(work({ content: first }), signal);
  const { items } = await plain.list(volumeSnapshots, {}, signal);
  deepEqual(
    items.map(({ metadata }) => metadata.name),
    ["monday"],
  );
});

interface Refusal {
  readonly name: string;
  readonly source?: Source;
  readonly change?: "refresh" | "rewind";
  readonly ref?: RewindSnapshotRef;
  readonly given?: (made: ReturnType<typeof stage>) => Promise<unknown>;
  readonly reason: string;
  readonly words: RegExp;
}
const refusals: readonly Refusal[] = [
  {
    name: "a snapshot of DCT",
    ref: { type: "dct-snapshot", name: "1-APPDATA_SNAPSHOT-1" },
    reason: "SnapshotNotUsable",
    words: /type dct-snapshot names data in DCT, and PostgresVDB orders is made by a CSI driver alone \(pvc-clone\): name a Vol/u,
  },
  {
    name: "a source that is gone",
    source: { type: "pvc-clone", reference: "nowhere" },
    reason: "SnapshotNotFound",
    words: /no claim nowhere in the namespace shop; the claims there: orders-c1, origin$/u,
  },
  {
    name: "the newest data of an adopted claim",
    source: from.itself,
    reason: "SnapshotNotFound",
    words: /has the claim orders-c1 itself, so there is no source with newer data: name a VolumeSnapshot/u,
  },
  {
    name: "a source in another namespace",
    source: { type: "pvc-clone", reference: "elsewhere/origin" },
    reason: "ReferenceNotGranted",
    words: /the namespace elsewhere does not allow .* can apply this grant: /u,
  },
  {
    name: "another's snapshot for a rewind",
    change: "rewind",
    ref: { type: "volume-snapshot", name: "monday" },
    given: async ({ plain }) => await makeSnapshot(plain, "own", "orders-c1", own()),
    reason: "SnapshotNotUsable",
    words:
      /monday is none of PostgresVDB orders, and a rewind takes its own alone; the VolumeSnapshots of this database there: own$/u,
  },
  {
    name: "no snapshot to return to",
    change: "rewind",
    reason: "SnapshotNotFound",
    words:
      /no VolumeSnapshot that was taken while clients were let in: take one with a VDBSnapshot; there are no VolumeSnapshots/u,
  },
  {
    name: "a driver without snapshots",
    change: "rewind",
    given: async ({ plain }) => await plain.delete(volumeSnapshotClasses, { name: "fast" }, signal),
    reason: "StorageFailed",
    words: /the claim orders-c1 is of the driver d\.example, which has no VolumeSnapshotClass/u,
  },
];
describe("refused while the old data answers", () => {
  for (const { name, source = from.claim, change = "refresh", ref, given, reason, words } of refusals)
    test(name, async () => {
      const made = stage(source);
      await made.turn();
      await given?.(made);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rows give each kind what it takes
      const wanted = { change, ref } as Parameters<typeof made.store.choose>[1];
      await rejects(made.store.choose(made.work({ content: first }), wanted, signal), (error) => {
        ok(error instanceof ActionFailed);
        equal(error.reason, reason, error.message);
        match(error.message, words);
        return true;
      });
      deepEqual(made.made, []);
    });

  test("what the storage refuses of the new claim, in its words", async () => {
    const made = stage(from.snapshot, "rpc error: code = ResourceExhausted desc = the pool is full");
    await made.turn();
    await playStorage(made.plain);
    const { text } = await made.store.choose(made.work({ content: first }), { change: "refresh", ref: undefined }, signal);
    await made.store.prepare.begin(made.work({ content: first }), text, signal);
    await rejects(
      made.store.prepare.end(made.work({ content: first }), text, signal),
      /cannot provision the claim .* the pool is full/u,
    );
  });

  test("a claim that somebody else has under that name", async () => {
    const { store, work, plain, turn } = stage(from.snapshot);
    await turn();
    const { text } = await store.choose(work({ content: first }), { change: "refresh", ref: undefined }, signal);
    const key = { name: changeIn(text).claim, namespace: "shop" };
    await plain.create(persistentVolumeClaims, { metadata: key, spec: { accessModes: [] } }, signal);
    const look = async () => await store.prepare.look(work({ content: first }), text, signal);
    await rejects(look(), /was not made by this action/u);
    const ownerReferences = ownerOf(work({}).vdb);
    await plain.patch(persistentVolumeClaims, key, { metadata: { ownerReferences } }, signal);
    await rejects(look(), /was not made by this action/u, "the database's own, for another action");
  });
});

const adopted = async (spec: object) => {
  const made = stage(from.itself);
  await made.turn();
  await made.plain.patch(
    persistentVolumeClaims,
    { namespace: "shop", name: "orders-c1" },
    { metadata: { ownerReferences: null } },
    signal,
  );
  const place = made.work({ content: { ...first, id: "c2", claimName: "orders-c2" }, previous: first }, "u", spec);
  return { ...made, place };
};

describe("a claim that was adopted", () => {
  for (const [title, spec, bytes, left] of [
    ["goes with deletionPolicy Delete", {}, first, false],
    ["stays with Retain", { deletionPolicy: "Retain" }, first, true],
    ["stays where another volume has its name", {}, { ...first, handle: "another" }, true],
  ] as const)
    test(`as previous data it ${title}`, async () => {
      const { store, place, there } = await adopted(spec);
      for (let i = 0; i < 3; i += 1) await store.discard(place, bytes, signal);
      equal(there.has("orders-c1"), left);
    });
});
