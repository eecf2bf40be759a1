/** How the driver and a kubelet find each other, over the sockets in the kubelet's folder. */
import { deepEqual, equal, match } from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { call, type Driver, startDriver } from "./testing/driver.ts";
import { nodeName } from "./testing/engine.ts";
import { type Kubernetes, startKubernetes } from "./testing/kubernetes.ts";
import { type Scratch, scratchFolder } from "./testing/scratch.ts";

describe("registration with the kubelet", { timeout: 300_000 }, () => {
  const stack = new AsyncDisposableStack();
  let scratch: Scratch;
  let kubernetes: Kubernetes;
  before(async () => {
    scratch = stack.use(scratchFolder());
    kubernetes = stack.use(await startKubernetes());
  });
  after(() => stack.disposeAsync());

  const registry = (): string => join(scratch.path, "kubelet/plugins_registry/defs.csi.delphix.com-reg.sock");
  const start = async (): Promise<Driver> => await startDriver(scratch, kubernetes, { mode: "node" });
  const notify = async (pluginRegistered: boolean, error = "") =>
    await call(registry(), "pluginregistration.Registration/NotifyRegistrationStatus", { pluginRegistered, error });

  test("tells the kubelet its name and where it listens, and there it tells the node's topology", async () => {
    await using driver = await start();
    const info = await call(registry(), "pluginregistration.Registration/GetInfo");
    deepEqual(info, {
      code: "OK",
      message: { type: "CSIPlugin", name: "defs.csi.delphix.com", endpoint: driver.socket, supportedVersions: ["1.0.0"] },
    });
    const node = await call(driver.socket, "NodeGetInfo");
    match(JSON.stringify(node), new RegExp(`"nodeId":"${nodeName}".*"topology.defs.csi.delphix.com/node":"${nodeName}"`, "u"));
    equal((await notify(true)).code, "OK");
    equal((await call(driver.socket, "CreateVolume", { name: "x" })).code, "UNIMPLEMENTED", "a node is no controller");
  });

  test("ending, it takes its sockets along: the kubelet forgets it", async () => {
    const driver = await start();
    equal(await driver.end("SIGTERM"), 0);
    deepEqual([existsSync(registry()), existsSync(driver.socket)], [false, false]);
  });

  test("killed, it comes back on the same sockets", async () => {
    const killed = await start();
    await killed.end("SIGKILL");
    equal(existsSync(registry()), true, "left behind: else this test proves nothing");
    await using driver = await start();
    equal((await call(driver.socket, "Probe")).code, "OK");
  });

  test("refused by the kubelet, it ends, and says why: a new start makes the kubelet ask again", async () => {
    const driver = await start();
    await notify(false, "a driver of this name is registered with a higher version");
    equal(await driver.ended, 1);
    match(driver.log(), /higher version/u);
  });
});
