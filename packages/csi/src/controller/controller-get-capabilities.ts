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

/** With `attach` also what makes Kubernetes attach volumes; see controller-publish-volume.ts. */
export const controllerGetCapabilities = (attach: boolean): Handler => {
  const all = attach ? [...types, "PUBLISH_UNPUBLISH_VOLUME" as const] : types;
  return () => ({ capabilities: all.map((type) => ({ rpc: { type } })) });
};
