/** The CSI driver as a program: see config.ts for its flags. */
import process from "node:process";
import { createLog } from "kube-runtime";
import { readConfig } from "./config.ts";
import { startDriver } from "./start.ts";

const config = readConfig(process.argv.slice(2), process.env);
const log = createLog({ level: config.logLevel }).child({ mode: config.mode });
const stop = Promise.withResolvers<void>();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.resolve());

await using driver = await startDriver(config, log, (reason) => {
  log.error({ reason }, "the kubelet refuses the driver; the driver ends, so that it starts again");
  process.exitCode = 1;
  stop.resolve();
});
log.info({ healthPort: driver.healthPort }, "the driver has started");
await stop.promise;
log.info({}, "the driver stops");
