import { equal } from "node:assert/strict";
import { test } from "node:test";
import { aVdb } from "../vdb/testing.ts";
import { createDataSources } from "./data-sources.ts";
import type { DataSource } from "./source.ts";
import { quietContent } from "./testing/quiet-content.ts";

const dct: DataSource = {
  resolve: async () => ({ ok: false, reason: "SourceNotFound", message: "" }),
  claimFor: () => ({ kind: "make", labels: {}, annotations: {}, sizeBytes: undefined }),
  stage: async () => ({ kind: "ready", dataSource: undefined }),
  unstage: async () => undefined,
  facts: async () => ({ kind: "told", value: undefined }),
  setAttached: async () => ({ kind: "asWanted" }),
  gone: async () => ({ kind: "gone" }),
  content: quietContent,
};
const sources = createDataSources({ "dct-source": dct }, () => undefined);
const clone = { type: "pvc-clone", reference: "shop/orders" };

const rows: { name: string; why: string; vdb: object; named: DataSource | undefined; holding: DataSource | undefined }[] = [
  { name: "a dct-source", why: "served", vdb: {}, named: dct, holding: dct },
  { name: "a pvc-clone", why: "not served yet", vdb: { spec: { source: clone } }, named: undefined, holding: undefined },
  {
    name: "a manifest that was changed after its claim was made",
    why: "what is deleted with it is still what it was made from",
    vdb: { spec: { source: clone }, status: { source: { type: "dct-source" } } },
    named: undefined,
    holding: dct,
  },
];
for (const { name, why, vdb, named, holding } of rows)
  test(`data source of ${name}`, () => {
    equal(sources.named(aVdb(vdb)), named, why);
    equal(sources.holding(aVdb(vdb)), holding, why);
  });
