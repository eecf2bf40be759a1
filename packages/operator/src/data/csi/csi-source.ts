import { type PostgresVDB, sourceReference } from "@vdb/api";
import type { Client } from "kube-runtime";
import type { Implementations } from "../data-sources.ts";
import { answered } from "../refusal.ts";
import type { DataSource, ResolvedSource } from "../source.ts";
import { adopted, attachAdopted, resolveAdopted } from "./adopt.ts";
import { createCsiContent } from "./content/csi-content.ts";
import type { CsiWorld, Name } from "./csi-world.ts";
import { claimOf } from "./identity.ts";
import { resolveClaim } from "./resolve-claim.ts";
import { resolveSnapshot } from "./resolve-snapshot.ts";
import { stageBy, unstage } from "./stage.ts";

/** Databases whose bytes any CSI driver copies or holds: no DCT is needed. */
export function createCsiSources(world: CsiWorld): Implementations {
  return {
    "k8s-snapshot": sourceOf(world, resolveSnapshot),
    "pvc-clone": sourceOf(world, resolveClaim),
    "pvc-adopt": { ...sourceOf(world, resolveAdopted), setAttached: attachAdopted(world), adopted },
  };
}

/** Throws a SourceRefusal. */
type Find = (world: CsiWorld, client: Client, vdb: PostgresVDB, key: Name, signal: AbortSignal) => Promise<ResolvedSource>;

/** Kubernetes mounts and deletes the volume: nothing more is to be done. */
function sourceOf(world: CsiWorld, find: Find): DataSource {
  return {
    resolve: async (client, vdb, signal) => {
      const reference = sourceReference(vdb.spec.source, vdb.metadata.namespace);
      if (reference.type === "dct-source") throw new TypeError("a dct-source is no object of Kubernetes");
      const { namespace, name } = reference;
      return await answered(find(world, client, vdb, { namespace, name }, signal));
    },
    claimFor: claimOf,
    stage: stageBy(world.checkpoint),
    unstage,
    facts: async () => ({ kind: "told", value: undefined }),
    setAttached: async () => ({ kind: "asWanted" }),
    gone: async () => ({ kind: "gone" }),
    content: createCsiContent(world),
  };
}
