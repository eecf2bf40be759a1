import type { Handler } from "../grpc/handler.ts";

/** Both modes answer alike, as CSI asks: a controller exists, and a volume is reachable from one node alone. */
export const getPluginCapabilities: Handler = () => ({
  capabilities: [
    { service: { type: "CONTROLLER_SERVICE" } },
    { service: { type: "VOLUME_ACCESSIBILITY_CONSTRAINTS" } },
    { volumeExpansion: { type: "ONLINE" } },
  ],
});
