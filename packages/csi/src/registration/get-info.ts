import type { Handler } from "../grpc/handler.ts";

/** Tells the kubelet which driver this is and where it listens; `socketPath` as the kubelet sees it. */
export const getInfo =
  (name: string, socketPath: string): Handler =>
  () => ({ type: "CSIPlugin", name, endpoint: socketPath, supportedVersions: ["1.0.0"] });
