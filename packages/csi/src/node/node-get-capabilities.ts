import type { Handler } from "../grpc/handler.ts";

/** No staging: a volume is one bind mount, made when a pod needs it. */
const types = ["GET_VOLUME_STATS", "SINGLE_NODE_MULTI_WRITER"] as const;

export const nodeGetCapabilities: Handler = () => ({ capabilities: types.map((type) => ({ rpc: { type } })) });
