import type { Message } from "./message.ts";

export interface Call {
  /** Aborted when the caller gave up, its deadline passed, or the driver is stopping. */
  readonly signal: AbortSignal;
  /** What is left of the caller's deadline; a default where it set none. */
  readonly secondsLeft: () => number;
  /** What the call's line of log says beside the request. */
  readonly tell: (fields: Readonly<Record<string, unknown>>) => void;
}

/** One RPC. Throws RpcError for what the caller has to know; anything else is a fault of ours and answered as INTERNAL. */
export type Handler = (message: Message, call: Call) => object | Promise<object>;

/** The RPCs of one gRPC service by name. What is left out is answered by UNIMPLEMENTED. */
export type Service = Readonly<Record<string, Handler>>;
