import { sourceReference } from "@vdb/api";
import { done, isApiError } from "kube-runtime";
import { snapshotsOf, type VolumeSnapshot, volumeSnapshotContents, volumeSnapshots } from "../../data/csi/volume-snapshots.ts";
import type { Told } from "../../data/source.ts";
import type { PlainVdbStep, VdbContext } from "../context.ts";
import { surplusOf, type Taken } from "../decide/surplus.ts";
import { removeIfThere } from "./remove.ts";

/** How soon one is looked at again that something needs, or that is being deleted, in seconds. */
const [neededSeconds, leavingSeconds] = [600, 60];

/**
 * Deletes the VolumeSnapshots that actions have taken of this database and that `spec.snapshots` does not keep. What needs one, or why
 * the storage does not let go of one, is told once, in an event; it is tried again later. The database does not depend on any of
 * it. It looks when an action has ended, and when the next snapshot gets too old: at rest it asks nothing.
 */
export const retireSnapshots: PlainVdbStep = {
  name: "retireSnapshots",
  run: async (ctx, signal) => {
    const { run, vdb } = ctx;
    const limits = vdb.spec.snapshots;
    if (limits === undefined || vdb.status.activeAction !== undefined) return done(); // an action may be about to use one
    try {
      const own = await snapshotsOf(run.client, vdb.metadata, signal);
      const { beyond, nextSeconds } = surplusOf(limits, own.filter(isUsable).map(takenOf), run.clock.now());
      const leaving = own.filter((one) => isOverdue(one, run.clock.now())).map(takenOf);
      const needs = beyond.length + leaving.length === 0 ? nothing : await needsOf(ctx, [...beyond, ...leaving], signal);
      const kept = needs.kind === "told" ? beyond.filter(({ name }) => needs.value.has(name)) : beyond;
      for (const one of beyond) if (!kept.includes(one)) await retire(ctx, one, signal);
      tellOnce(ctx, wordsOf(kept, leaving, needs));
      const isLeaving = beyond.length > kept.length || own.some(({ metadata }) => metadata.deletionTimestamp !== undefined);
      return again([
        nextSeconds,
        kept.length > 0 ? neededSeconds : undefined,
        isLeaving || needs.kind === "untold" ? leavingSeconds : undefined,
      ]);
    } catch (error) {
      if (!isApiError(error, "forbidden")) throw error;
      tellOnce(ctx, [`the API server does not let the operator see to them: ${error.message}`]);
      return again([neededSeconds]);
    }
  },
};

const nothing: Told<ReadonlyMap<string, string>> = { kind: "told", value: new Map() };

type OwnSnapshot = Taken & { readonly uid: string; readonly content: string };

/** One that is still being taken is its action's. */
const isUsable = ({ metadata, status }: VolumeSnapshot): boolean =>
  metadata.deletionTimestamp === undefined && status?.readyToUse === true;

const takenOf = ({ metadata: { name, uid, creationTimestamp }, status }: VolumeSnapshot): OwnSnapshot => ({
  name,
  uid,
  takenMs: Date.parse(status?.creationTime ?? creationTimestamp),
  content: status?.boundVolumeSnapshotContentName ?? "",
});

/** Its deletion began a while ago. */
const isOverdue = ({ metadata: { deletionTimestamp } }: VolumeSnapshot, nowMs: number): boolean =>
  deletionTimestamp !== undefined && nowMs - Date.parse(deletionTimestamp) >= leavingSeconds * 1000;

const again = (seconds: readonly (number | undefined)[]) => {
  const known = seconds.filter((one) => one !== undefined);
  return known.length === 0 ? done() : done({ recheckSeconds: Math.max(1, Math.min(...known)) });
};

/** What needs which of them, by name: actions, databases, and what the storage knows of. */
async function needsOf(
  { run, vdb, world }: VdbContext,
  snapshots: readonly OwnSnapshot[],
  signal: AbortSignal,
): Promise<Told<ReadonlyMap<string, string>>> {
  const handles = new Map<string, string>();
  for (const { name, content } of snapshots) {
    const found = content === "" ? undefined : await run.client.find(volumeSnapshotContents, { name: content }, signal);
    if (found?.status?.snapshotHandle !== undefined) handles.set(name, found.status.snapshotHandle);
  }
  const store = world.sources.holding(vdb)?.content;
  const inStorage = store === undefined ? nothing : await store.needed([...handles.values()], signal);
  if (inStorage.kind === "untold") return inStorage;
  const { namespace } = vdb.metadata;
  const actions = world.namedByActions();
  const databases = world.caches.vdbs.list();
  return {
    kind: "told",
    value: new Map(
      snapshots.flatMap(({ name }) => {
        const handle = handles.get(name) ?? "";
        const action = actions.find((one) =>
          one.type === "volume-snapshot" ? one.name === name && one.namespace === namespace : one.name === handle,
        );
        const database = databases.find(({ spec, metadata }) => {
          const source = sourceReference(spec.source, metadata.namespace);
          return source.type === "k8s-snapshot" && source.name === name && source.namespace === namespace;
        });
        const who =
          action?.who ?? (database === undefined ? inStorage.value.get(handle) : `PostgresVDB ${database.metadata.name}`);
        return who === undefined ? [] : [[name, who] as const];
      }),
    ),
  };
}

async function retire({ run, vdb }: VdbContext, { name, uid, takenMs }: OwnSnapshot, signal: AbortSignal): Promise<void> {
  const { namespace } = vdb.metadata;
  await removeIfThere(run.client, volumeSnapshots, { namespace, name }, signal, { preconditions: { uid } });
  const { keep, maxAge } = vdb.spec.snapshots ?? {};
  const limits = [keep === undefined ? [] : [`keep: ${keep}`], maxAge === undefined ? [] : [`maxAge: ${maxAge}`]]
    .flat()
    .join(", ");
  const taken = new Date(takenMs).toISOString();
  run.event("Normal", "SnapshotRetired", `VolumeSnapshot ${name} of ${taken} is deleted: spec.snapshots has ${limits}`);
}

function wordsOf(kept: readonly Taken[], leaving: readonly Taken[], needs: Told<ReadonlyMap<string, string>>): readonly string[] {
  if (needs.kind === "untold") return [`whether something needs them is not known: ${needs.message}`];
  const unknown = "its storage has not let go of it: see the log of its driver's csi-snapshotter";
  const why = ({ name }: Taken, otherwise: string): string => {
    const who = needs.value.get(name);
    return who === undefined ? otherwise : `${who} needs it`;
  };
  return [
    ...kept.map((one) => `VolumeSnapshot ${one.name} (${why(one, unknown)})`),
    ...leaving.map((one) => `VolumeSnapshot ${one.name} (deleted already, but ${why(one, unknown)})`),
  ];
}

/** Again only when it is something else: what needs a snapshot may do so for ever. */
function tellOnce({ run }: VdbContext, words: readonly string[]): void {
  const told = "retireSnapshots told ";
  const mark = `${told}${words.toSorted().join("; ")}`;
  if (run.marks.has(mark)) return;
  for (const key of run.marks.keys()) if (key.startsWith(told)) run.marks.delete(key);
  run.marks.set(mark, run.clock.monotonic());
  if (words.length > 0)
    run.event("Warning", "SnapshotsKept", `snapshots that spec.snapshots does not keep stay for now: ${mark.slice(told.length)}`);
}
