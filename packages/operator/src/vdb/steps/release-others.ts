import { after, done, isControlledBy, type PersistentVolumeClaim, persistentVolumeClaims, pods } from "kube-runtime";
import type { VdbContext } from "../context.ts";
import { claimKeptBy } from "../decide/blockers.ts";
import type { CleanUpStep } from "./clean-up.ts";
import { isLate } from "./is-late.ts";
import { removeIfThere } from "./remove.ts";

const [lookSeconds, lateLookSeconds] = [0.5, 5];

/**
 * The claims beside that of the present data: those of earlier data that the status names, and what an action had prepared. With
 * deletionPolicy Retain earlier data stays as the present data does; what was only prepared goes in any case.
 */
export const releaseOthers: CleanUpStep = {
  name: "releaseOthers",
  run: async (ctx, signal) => {
    const { run, vdb, world } = ctx;
    const present = vdb.status.content?.claimName;
    if (present === undefined) return done();
    const isRetained = vdb.spec.deletionPolicy === "Retain";
    const aside = earlier(ctx).filter(({ claimName }) => claimName !== undefined && claimName !== present);
    const others = world.caches.claims
      .list(vdb.metadata.namespace)
      .filter((claim) => isControlledBy(claim, vdb) && claim.metadata.name !== present);
    const kept = others.filter(({ metadata }) => isRetained && aside.some(({ claimName }) => claimName === metadata.name));
    for (const claim of kept) await letGo(ctx, claim, signal);
    const going = others.filter((claim) => !kept.includes(claim));
    for (const { metadata } of going) await remove(ctx, metadata, signal);
    const left = [
      ...going.map(({ metadata }) => metadata.name),
      ...(isRetained ? [] : await adoptedLeft(ctx, aside, others, signal)),
    ];
    if (left.length === 0) return done();
    const message = `Kubernetes deletes the claims of earlier data: ${left.toSorted().join(", ")}`;
    const [first] = going;
    if (first === undefined || !isLate(ctx)) return after(lookSeconds, "Deleting", message);
    const { items } = await run.client.list(pods, { namespace: vdb.metadata.namespace }, signal);
    return after(lateLookSeconds, "Deleting", `${message}${claimKeptBy(first, items)}`);
  },
};

const earlier = ({ vdb: { status } }: VdbContext) =>
  [status.previous, status.activeAction?.replaced].filter((one) => one !== undefined);

async function letGo({ run }: VdbContext, { metadata }: PersistentVolumeClaim, signal: AbortSignal): Promise<void> {
  const { name, namespace = "" } = metadata;
  await run.client.patch(persistentVolumeClaims, { namespace, name }, { metadata: { ownerReferences: null } }, signal);
  run.event("Normal", "Retained", `claim ${name} and its earlier data stay: spec.deletionPolicy is Retain`);
}

async function remove(
  { run }: VdbContext,
  { name, namespace = "", uid, deletionTimestamp }: PersistentVolumeClaim["metadata"],
  signal: AbortSignal,
): Promise<void> {
  if (deletionTimestamp === undefined)
    await removeIfThere(run.client, persistentVolumeClaims, { namespace, name }, signal, { preconditions: { uid } });
}

/** A claim of the user's that was adopted has no owner, and goes as the storage discards it. */
async function adoptedLeft(
  { run, vdb, world }: VdbContext,
  aside: ReturnType<typeof earlier>,
  own: readonly PersistentVolumeClaim[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const store = world.sources.holding(vdb)?.content;
  const left: string[] = [];
  for (const one of aside) {
    if (store === undefined || own.some(({ metadata }) => metadata.name === one.claimName)) continue;
    const { kind } = await store.discard({ client: run.client, vdb }, one, signal);
    if (kind === "underWay") left.push(one.claimName ?? "");
  }
  return left;
}
