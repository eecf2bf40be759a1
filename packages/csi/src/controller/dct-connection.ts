import { createDctClient, type DctClient } from "@vdb/dct";
import type { Credentials } from "../kubernetes/credentials.ts";

/** What the driver asks of DCT. */
export type Dct = Pick<
  DctClient,
  | "searchEngines"
  | "searchEnvironments"
  | "searchGroups"
  | "searchDSources"
  | "searchVdbs"
  | "searchSnapshots"
  | "searchJobs"
  | "getVdb"
  | "getEnvironment"
  | "getJob"
  | "provisionBySnapshot"
  | "deleteVdb"
>;

/** A client of DCT for the credentials of this moment. */
export interface DctConnection extends AsyncDisposable {
  readonly connect: (signal: AbortSignal) => Promise<Dct>;
}

/** Keeps one client as long as the credentials stay what they were, so that its connections are used again. */
export function dctConnection(readCredentials: (signal: AbortSignal) => Promise<Credentials>): DctConnection {
  let current: { readonly of: string; readonly client: DctClient } | undefined;
  const outdated = new Set<DctClient>();
  return {
    connect: async (signal) => {
      const credentials = await readCredentials(signal);
      const of = JSON.stringify(credentials);
      if (current?.of !== of) {
        // Calls under way may still use the old one; it has no timers and is closed at the end.
        if (current !== undefined) outdated.add(current.client);
        current = { of, client: createDctClient(credentials) };
      }
      return current.client;
    },
    [Symbol.asyncDispose]: async () => {
      if (current !== undefined) outdated.add(current.client);
      for (const client of outdated) await client[Symbol.asyncDispose]();
    },
  };
}
