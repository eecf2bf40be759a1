import { type PostgresVDB, sourceReference } from "@vdb/api";
import type { DctConnection } from "@vdb/dct";
import type { Client } from "kube-runtime";
import type { VdbDefaults } from "../../config.ts";
import { answered } from "../refusal.ts";
import type { DataSource } from "../source.ts";
import { setAttached } from "./attach.ts";
import { createAttachers } from "./attachers.ts";
import { dctClaim } from "./claim.ts";
import { createDctContent } from "./content/dct-content.ts";
import { told } from "./failure.ts";
import { goneFrom, vdbIsThere } from "./gone.ts";
import { originOf } from "./origin.ts";
import { resolveOpen } from "./resolve.ts";

export interface DctSourceOptions {
  readonly dct: Pick<DctConnection, "call">;
  readonly defaults: VdbDefaults;
  /** Whether the VDB of that id is one of this operator's and its gate is shut. */
  readonly isShut: (id: string) => boolean;
  /** Throws a SourceRefusal when the VDB of that id is a database of ours in another namespace, which does not allow a copy. */
  readonly mustAllowCopy: (client: Client, vdb: PostgresVDB, id: string, signal: AbortSignal) => Promise<void>;
}

/** Data of a dSource or a VDB, as DCT has it: the CSI driver provisions, DCT tells what came of it. */
export function createDctSource({ dct, defaults, isShut, mustAllowCopy }: DctSourceOptions): DataSource {
  const attachers = createAttachers();
  return {
    resolve: async (client, vdb, signal) => {
      const reference = sourceReference(vdb.spec.source, vdb.metadata.namespace);
      if (reference.type !== "dct-source")
        return { ok: false, reason: "SourceNotFound", message: `spec.source.type ${reference.type} is not yet supported` };
      const found = await dct.call(async (of) => await resolveOpen(of, vdb, reference, { defaults, isShut }, signal), signal);
      if (!found.ok || found.source.id === undefined) return found;
      const { id } = found.source;
      return await answered(mustAllowCopy(client, vdb, id, signal).then(() => found.source));
    },
    claimFor: dctClaim,
    stage: async () => ({ kind: "ready", dataSource: undefined }), // the driver reads in the claim's annotations what to copy
    unstage: async () => undefined,
    facts: async (handle, signal) => await told(dct.call(async (client) => await originOf(client, handle, signal), signal)),
    setAttached: async (client, volume, wanted, signal) => await setAttached(client, dct, attachers, volume, wanted, signal),
    gone: async (name, signal) =>
      goneFrom(await told(dct.call(async (client) => await vdbIsThere(client, name, signal), signal)), name),
    content: createDctContent(dct),
  };
}
