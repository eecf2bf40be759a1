import { deepEqual, equal } from "node:assert/strict";
import { describe, test } from "node:test";
import { labelsOf, postgresVDB, resourceOf } from "@vdb/api";
import type { PersistentVolumeClaim } from "kube-runtime";
import type { Resolution } from "../../data/source.ts";
import { claimName } from "../names.ts";
import { contentId, forever, type Given, meta, stepBench } from "../step-bench.ts";
import { aVdb } from "../testing.ts";
import { resolveSource } from "./resolve-source.ts";

const identity = { sourceRef: "production", engineName: "delphix-engine" };
const found: Resolution = {
  ok: true,
  source: {
    identity,
    sizeBytes: 1,
    postgresVersion: "16.2",
    dataTimestamp: "2026-01-01T00:00:00Z",
    id: "1",
    snapshotId: "s",
    snapshotName: "@1",
  },
};
const refused: Resolution = { ok: false, reason: "EngineNotFound", message: "known engines: e" };
const claim: PersistentVolumeClaim = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: meta(claimName(aVdb(), contentId)),
  spec: {},
};

interface Row {
  readonly name: string;
  readonly why: string;
  readonly given?: Given;
  readonly answer?: Resolution;
  readonly want: string;
  readonly asked: number;
  readonly writes: readonly string[];
}
const label = "patch postgresvdbs orders";

const rows: readonly Row[] = [
  { name: "found", why: "users find the database by its labels", answer: found, want: "done", asked: 1, writes: [label] },
  {
    name: "not found",
    why: "a person corrects it, and no watch tells when the source appears",
    answer: refused,
    want: "terminal EngineNotFound",
    asked: 1,
    writes: [],
  },
  {
    name: "the claim is there",
    why: "a database that has its data does not need its source any more",
    given: { claim, status: { source: { type: "dct-source", name: "production" } } },
    want: "done",
    asked: 0,
    writes: [label],
  },
  {
    name: "a type that is not served",
    why: "nobody can be asked",
    given: { spec: { source: { type: "pvc-clone", reference: "other" } } },
    want: "terminal SourceNotFound",
    asked: 0,
    writes: [],
  },
];

describe("resolveSource", () => {
  for (const { name, why, given = {}, answer = refused, want, asked, writes } of rows)
    test(name, async () => {
      let times = 0;
      const resolve = async (): Promise<Resolution> => {
        times += 1;
        return answer;
      };
      const bench = await stepBench({ ...given, source: { resolve } });
      const end = await resolveSource.run(bench.ctx, forever);
      equal([end.kind, ...(end.kind === "done" ? [] : [end.reason])].join(" "), want, why);
      equal(times, asked, why);
      deepEqual(bench.writes, writes, why);
    });

  test("what will be made and from what is recorded, without fields that nobody knows", async () => {
    const bench = await stepBench({ source: { resolve: async () => found } });
    await resolveSource.run(bench.ctx, forever);
    const { source, dataTimestamp } = bench.ctx.run.status;
    deepEqual(
      [source?.name, source?.engine, source?.snapshotId, dataTimestamp],
      ["production", "delphix-engine", "s", "2026-01-01T00:00:00Z"],
    );
    const stored = await bench.client.get(resourceOf(postgresVDB), { namespace: "shop", name: "orders" }, forever);
    deepEqual(stored.metadata.labels, labelsOf(identity));
  });
});
