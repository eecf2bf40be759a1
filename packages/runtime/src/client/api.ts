import type { Resource } from "../objects/resource.ts";

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";

/** One request to the API server, before it is HTTP. */
export interface ApiCall {
  readonly verb: Verb;
  readonly resource: Resource;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The media type of `body`: which kind of patch it is. */
  readonly contentType?: string;
  /** Ask for metadata alone. */
  readonly metadataOnly?: boolean;
  readonly timeoutSeconds: number;
  /** Called right before the first byte leaves; a throw keeps the request from leaving. */
  readonly beforeSend?: () => void;
}

/**
 * What a client stands on: the real API server over HTTP, one in memory, or either of them with faults around it.
 * All wrappers (rate limit, fence, interceptor) have this same shape.
 */
export interface Api {
  /** Sends one call and gives the decoded JSON of its answer. Throws ApiError. */
  readonly call: (call: ApiCall, signal: AbortSignal) => Promise<unknown>;
  /** Opens a watch. Resolves when the API server accepted it; the frames end when the API server ends the watch. */
  readonly watch: (call: ApiCall, signal: AbortSignal) => Promise<AsyncIterable<unknown>>;
}
