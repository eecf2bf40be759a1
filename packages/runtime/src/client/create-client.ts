import type { Api } from "./api.ts";
import type { Client } from "./client.ts";

export interface ClientOptions {
  /** The field manager of writes that name none. */
  readonly fieldManager: string;
  /** A request that took longer is ended; 30 unless told. Watches are not bounded by it. */
  readonly timeoutSeconds?: number;
}

export function createClient(_api: Api, _options: ClientOptions): Client {
  throw new Error("not yet");
}
