import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { createClient, interceptApi, persistentVolumes } from "kube-runtime";
import { memoryApi } from "kube-runtime/testing";
import { createAttachers, csiDrivers } from "./attachers.ts";

const forever = new AbortController().signal;
test("who attaches a volume is asked once in a minute; what is not there is asked for again", async () => {
  const api = memoryApi();
  const asked: string[] = [];
  const counted = interceptApi(api, {
    call: async (call, next) => {
      if (call.verb === "get") asked.push(call.resource.plural);
      return await next();
    },
  });
  const client = createClient(counted, { fieldManager: "test" });
  let nowMs = 0;
  const attachers = createAttachers(() => nowMs);
  const asks = async (volume: string) => [await attachers(client, volume, forever), asked.splice(0)];
  deepEqual(await asks("pv-1"), [undefined, ["persistentvolumes"]]);
  const spec = { csi: { driver: "d", volumeHandle: "h" } };
  for (const name of ["pv-1", "pv-2"]) await client.create(persistentVolumes, { metadata: { name }, spec }, forever);
  deepEqual(await asks("pv-1"), ["kubernetes", ["persistentvolumes", "csidrivers"]], "a driver that says nothing");
  await client.create(csiDrivers, { metadata: { name: "d" }, spec: { attachRequired: false } }, forever);
  deepEqual(await asks("pv-1"), ["driver", ["persistentvolumes", "csidrivers"]], "that was no answer to keep");
  nowMs = 59_000;
  deepEqual(await asks("pv-1"), ["driver", []]);
  equal(await attachers(client, "pv-2", forever), "driver", "each volume is asked about");
  nowMs = 61_000;
  await client.patch(csiDrivers, { name: "d" }, { spec: { attachRequired: true } }, forever);
  asked.length = 0;
  deepEqual(await asks("pv-1"), ["kubernetes", ["persistentvolumes", "csidrivers"]]);
});
