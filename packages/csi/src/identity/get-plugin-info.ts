import { driverName, driverVersion } from "../driver.ts";
import type { Handler } from "../grpc/handler.ts";

export const getPluginInfo: Handler = () => ({ name: driverName, vendorVersion: driverVersion });
