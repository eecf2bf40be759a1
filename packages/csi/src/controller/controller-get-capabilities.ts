import type { Handler } from "../grpc/handler.ts";

/** What the sidecars may ask for; everything else is answered by UNIMPLEMENTED. */
const types = [
  "CREATE_DELETE_VOLUME",
  "CLONE_VOLUME",
  "EXPAND_VOLUME",
  "LIST_VOLUMES",
  "GET_VOLUME",
  "CREATE_DELETE_SNAPSHOT",
  "LIST_SNAPSHOTS",
  "GET_SNAPSHOT",
  "SINGLE_NODE_MULTI_WRITER",
] as const;

export const controllerGetCapabilities: Handler = () => ({ capabilities: types.map((type) => ({ rpc: { type } })) });
