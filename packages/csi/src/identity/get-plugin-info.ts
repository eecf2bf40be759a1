import { driverVersion } from "../driver.ts";
import type { Handler } from "../grpc/handler.ts";

export const getPluginInfo =
  (name: string): Handler =>
  () => ({ name, vendorVersion: driverVersion });
