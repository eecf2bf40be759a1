import { sourceReference } from "@vdb/api";
import type { Implementations } from "../data-sources.ts";
import type { DataSource, Resolution, ResolvedSource } from "../source.ts";
import { copyClaim } from "./identity.ts";
import { Refusal } from "./refusal.ts";
import { type CsiWorld, resolveSnapshot } from "./resolve-snapshot.ts";
import { stage, unstage } from "./stage.ts";

/** Databases whose bytes any CSI driver copies: no DCT is asked. */
export function createCsiSources(world: CsiWorld): Implementations {
  return { "k8s-snapshot": copied(async (client, vdb, name, signal) => await resolveSnapshot(world, client, vdb, name, signal)) };
}

type Finder = (
  client: Parameters<DataSource["resolve"]>[0],
  vdb: Parameters<DataSource["resolve"]>[1],
  name: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
) => Promise<ResolvedSource>;

/** A volume of its own, made by the driver of what it is a copy of. Kubernetes mounts and deletes it: nothing more is to be done. */
function copied(find: Finder): DataSource {
  return {
    resolve: async (client, vdb, signal) => {
      const reference = sourceReference(vdb.spec.source, vdb.metadata.namespace);
      if (reference.type === "dct-source") throw new TypeError("a dct-source is no object of Kubernetes");
      return await answered(find(client, vdb, reference, signal));
    },
    claimFor: copyClaim,
    stage,
    unstage,
    facts: async () => ({ kind: "told", value: undefined }),
    setAttached: async () => ({ kind: "asWanted" }),
    gone: async () => ({ kind: "gone" }),
    discard: async () => ({ kind: "gone" }),
  };
}

async function answered(found: Promise<ResolvedSource>): Promise<Resolution> {
  try {
    return { ok: true, source: await found };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { reason, message, passes } = error;
    return { ok: false, reason, message, passes };
  }
}
