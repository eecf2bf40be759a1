import type { Handler } from "../grpc/handler.ts";

/** No staging: a volume is one bind mount, made when a pod needs it. */
export const nodeGetCapabilities: Handler = () => ({ capabilities: [] });
