import { after, done, isControlledBy, persistentVolumeClaims } from "kube-runtime";
import type { CleanUpStep } from "./clean-up.ts";
import { removeIfThere } from "./remove.ts";

const lookSeconds = 0.5;

/**
 * The claims beside that of the present data: those of earlier data that the status names, and what an action had prepared. With
 * deletionPolicy Retain earlier data stays as the present data does; what was only prepared goes in any case.
 */
export const releaseOthers: CleanUpStep = {
  name: "releaseOthers",
  run: async (ctx, signal) => {
    const { run, vdb, world } = ctx;
    const { content, previous, activeAction } = vdb.status;
    if (content?.claimName === undefined) return done();
    const { namespace } = vdb.metadata;
    const aside = [previous, activeAction?.replaced].filter((one) => one !== undefined && one.claimName !== content.claimName);
    const others = world.caches.claims
      .list(namespace)
      .filter((claim) => isControlledBy(claim, vdb) && claim.metadata.name !== content.claimName);
    const left: string[] = [];
    for (const { metadata } of others) {
      const { name, uid, deletionTimestamp } = metadata;
      const key = { namespace, name };
      if (vdb.spec.deletionPolicy === "Retain" && aside.some((one) => one?.claimName === name)) {
        await run.client.patch(persistentVolumeClaims, key, { metadata: { ownerReferences: null } }, signal);
        run.event("Normal", "Retained", `claim ${name} and its earlier data stay: spec.deletionPolicy is Retain`);
        continue;
      }
      left.push(name);
      if (deletionTimestamp === undefined)
        await removeIfThere(run.client, persistentVolumeClaims, key, signal, { preconditions: { uid } });
    }
    // One of the user's, which was adopted, is not among those.
    const store = world.sources.holding(vdb)?.content;
    if (store !== undefined && vdb.spec.deletionPolicy !== "Retain")
      for (const one of aside)
        if (one !== undefined && !others.some(({ metadata }) => metadata.name === one.claimName))
          if ((await store.discard({ client: run.client, vdb }, one, signal)).kind === "underWay") left.push(one.claimName ?? "");
    return left.length === 0
      ? done()
      : after(lookSeconds, "Deleting", `Kubernetes deletes the claims of earlier data: ${left.toSorted().join(", ")}`);
  },
};
