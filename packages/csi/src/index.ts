/** The CSI driver `defs.csi.delphix.com`: one volume is one virtual database of DCT. `main.ts` runs it. */
export { type Config, readConfig } from "./config.ts";
export { driverName, topologyKey } from "./driver.ts";
export { type Running, startDriver } from "./start.ts";
