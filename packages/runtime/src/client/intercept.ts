import type { Api, ApiCall } from "./api.ts";

/**
 * A seam around every call: it may look, wait, throw, call `next` twice or not at all. Watches pass through `watch`.
 */
export interface Interceptor {
  readonly call?: (call: ApiCall, next: () => Promise<unknown>, signal: AbortSignal) => Promise<unknown>;
  readonly watch?: (
    call: ApiCall,
    next: () => Promise<AsyncIterable<unknown>>,
    signal: AbortSignal,
  ) => Promise<AsyncIterable<unknown>>;
}

export function interceptApi(api: Api, interceptor: Interceptor): Api {
  const { call: onCall, watch: onWatch } = interceptor;
  return {
    call: (call, signal) => (onCall === undefined ? api.call(call, signal) : onCall(call, () => api.call(call, signal), signal)),
    watch: (call, signal) =>
      onWatch === undefined ? api.watch(call, signal) : onWatch(call, () => api.watch(call, signal), signal),
  };
}
