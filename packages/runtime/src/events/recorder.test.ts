import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../client/api-error.ts";
import { createClient } from "../client/create-client.ts";
import { type Interceptor, interceptApi } from "../client/intercept.ts";
import { events } from "../kinds/cluster.ts";
import { silentLog } from "../support/log.ts";
import { memoryApi } from "../testing/memory-api.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { createEventRecorder, type RecordedEvent } from "./recorder.ts";

const signal = new AbortController().signal;
const object = {
  apiVersion: "v1",
  kind: "Widget",
  metadata: { namespace: "n", name: "w", uid: "u", resourceVersion: "1", creationTimestamp: "" },
};
const bound: RecordedEvent = { type: "Normal", reason: "Bound", message: "the volume is bound" };

function bench(faults: Interceptor = {}) {
  const clock = createVirtualClock();
  const api = memoryApi();
  const client = createClient(api, { fieldManager: "test" });
  const through = createClient(interceptApi(api, faults), { fieldManager: "test" });
  const recorder = createEventRecorder({ client: through, clock, log: silentLog, controller: "test", instance: "pod-1", signal });
  const stored = async () => (await client.list(events, { namespace: "n" }, signal)).items;
  return { clock, client, recorder, stored };
}

test("an event tells what happened to which object", async () => {
  const { recorder, stored } = bench();
  recorder.record(object, bound);
  await recorder.flush();
  const [event] = await stored();
  deepEqual(
    [event?.type, event?.reason, event?.note, event?.regarding.name, event?.reportingController, event?.eventTime],
    ["Normal", "Bound", "the volume is bound", "w", "test", "2026-01-01T00:00:00.000000Z"],
  );
});

test("the same again is counted, not written anew; after ten quiet minutes it is a new one", async () => {
  const { recorder, stored, clock } = bench();
  for (let at = 0; at < 3; at += 1) recorder.record(object, bound);
  await recorder.flush();
  deepEqual(
    (await stored()).map(({ series }) => series?.count),
    [3],
  );
  await clock.advance(11 * 60_000);
  recorder.record(object, bound);
  await recorder.flush();
  equal((await stored()).length, 2);
});

test("one object cannot flood the API server", async () => {
  const { recorder, stored, clock } = bench();
  for (let at = 0; at < 100; at += 1) recorder.record(object, { ...bound, reason: `R${at}` });
  await recorder.flush();
  equal((await stored()).length, 25);
  await clock.advance(5 * 60_000);
  recorder.record(object, { ...bound, reason: "Later" });
  await recorder.flush();
  equal((await stored()).length, 26);
});

test("an event that cannot be written is lost quietly", async () => {
  const failing = interceptApi(memoryApi(), {
    call: async () => {
      throw new ApiError({ kind: "forbidden" }, "no");
    },
  });
  const client = createClient(failing, { fieldManager: "test" });
  const recorder = createEventRecorder({
    client,
    clock: createVirtualClock(),
    log: silentLog,
    controller: "c",
    instance: "i",
    signal,
  });
  recorder.record(object, bound);
  await recorder.flush();
});

test("an event whose first write failed is written when it happens again, and counts from then", async () => {
  let down = true;
  const { recorder, stored } = bench({
    call: async (_call, next) => {
      if (down) throw new ApiError({ kind: "unavailable" }, "down");
      return next();
    },
  });
  recorder.record(object, bound);
  await recorder.flush();
  down = false;
  recorder.record(object, bound);
  await recorder.flush();
  deepEqual(
    (await stored()).map(({ note, series }) => [note, series]),
    [["the volume is bound", undefined]],
  );
});

test("an event that the API server has forgotten meanwhile is written anew with its count", async () => {
  const { recorder, stored, client } = bench();
  recorder.record(object, bound);
  await recorder.flush();
  const [first] = await stored();
  await client.delete(events, { namespace: "n", name: first?.metadata.name ?? "" }, signal);
  recorder.record(object, bound);
  await recorder.flush();
  deepEqual(
    (await stored()).map(({ note, series }) => [note, series?.count]),
    [["the volume is bound", 2]],
  );
});

test("a long message is cut to the bytes that the API server takes, and no character in two", async () => {
  const { recorder, stored } = bench();
  recorder.record(object, { ...bound, message: `a${"ü".repeat(1000)}` });
  await recorder.flush();
  const note = (await stored())[0]?.note ?? "";
  deepEqual([Buffer.byteLength(note), note.at(-1)], [1023, "ü"]);
});

const other = (at: number): typeof object => ({
  ...object,
  metadata: { ...object.metadata, uid: `other-${at}`, name: `o-${at}` },
});

test("an object that is written of again and again keeps its limit, however many others there are", async () => {
  const { recorder, stored } = bench();
  for (let at = 0; at < 25; at += 1) recorder.record(object, { ...bound, reason: `R${at}` });
  for (let at = 0; at < 6000; at += 1) {
    recorder.record(other(at), bound);
    if (at % 1000 === 0) recorder.record(object, { ...bound, reason: `More${at}` });
  }
  await recorder.flush();
  equal((await stored()).filter(({ regarding }) => regarding.name === "w").length, 25);
});
