import type { Log } from "kube-runtime";
import type { Handler } from "../grpc/handler.ts";

/** The kubelet asks once for each socket it finds: a driver that it refused has to come again with a new one. */
export const notifyRegistrationStatus =
  (log: Log, refused: (reason: string) => void): Handler =>
  (message) => {
    if (message.boolean("pluginRegistered")) log.info({}, "the kubelet has registered the driver");
    else refused(message.string("error"));
    return {};
  };
