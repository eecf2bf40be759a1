import { rejects } from "node:assert/strict";
import { test } from "node:test";
import { isApiError } from "../client/api-error.ts";
import { createClient } from "../client/create-client.ts";
import { conformanceOf } from "./conformance.ts";
import { memoryApi } from "./memory-api.ts";
import { widgets } from "./widget.ts";

conformanceOf({ name: "in memory", api: async () => memoryApi() });

test("in memory: a watch from before the history gets 410", async (t) => {
  const api = memoryApi();
  const client = createClient(api, { fieldManager: "test" });
  const made = await client.create(widgets, { metadata: { namespace: "a", name: "b" }, spec: {} }, t.signal);
  await client.patch(widgets, { namespace: "a", name: "b" }, { spec: { size: 1 } }, t.signal);
  api.compact();
  const events = client.watch(widgets, { resourceVersion: made.metadata.resourceVersion }, t.signal);
  await rejects(Array.fromAsync(events), (error: unknown) => isApiError(error, "gone"));
});

test("in memory: server-side apply is refused, not faked", async (t) => {
  const client = createClient(memoryApi(), { fieldManager: "test" });
  const apply = client.apply(
    widgets,
    { metadata: { namespace: "a", name: "b" }, spec: {} },
    { fieldManager: "x", force: true },
    t.signal,
  );
  await rejects(apply, (error: unknown) => isApiError(error, "notAllowed"));
});
