import type { Handler } from "../grpc/handler.ts";

/** What the sidecars may ask for; everything else is answered by UNIMPLEMENTED. */
export const controllerGetCapabilities: Handler = () => ({ capabilities: [{ rpc: { type: "CREATE_DELETE_VOLUME" } }] });
