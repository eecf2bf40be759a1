import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { createDctClient, Job } from "@vdb/dct";
import { FakeWorld, fakeDct } from "@vdb/dct/testing";
import { createMetrics } from "kube-runtime";
import { measuredDct } from "./dct-metrics.ts";

const samples = (text: string, name: string): readonly string[] => text.split("\n").filter((line) => line.startsWith(`${name}{`));

test("calls are counted by operation and result, and each job once, at its end", async () => {
  const metrics = createMetrics();
  const world = new FakeWorld();
  const given: Parameters<typeof createDctClient>[0][] = [];
  const jobs: Job[] = [
    { id: "1", type: "DB_REFRESH", status: "RUNNING", start_time: "2026-01-01T00:00:00Z" },
    { id: "1", type: "DB_REFRESH", status: "COMPLETED", start_time: "2026-01-01T00:00:00Z", update_time: "2026-01-01T00:00:04Z" },
    { id: "1", type: "DB_REFRESH", status: "COMPLETED", start_time: "2026-01-01T00:00:00Z", update_time: "2026-01-01T00:00:04Z" },
    { id: "2", status: "FAILED" },
  ];
  const connect: typeof createDctClient = (options) => {
    given.push(options);
    return { ...fakeDct(world, { jobs: 0 }), getJob: async () => jobs.shift() };
  };
  await using client = measuredDct(metrics, connect)({ url: "https://dct", apiKey: "k" });
  given[0]?.onCall?.({ operation: "POST /vdbs/search", result: "ok", seconds: 0.02 });
  given[0]?.onCall?.({ operation: "POST /vdbs/search", result: "unreachable", seconds: 3 });
  for (let at = 0; at < 5; at += 1) await client.getJob("any");
  const text = metrics.text();
  deepEqual(samples(text, "delphix_dct_requests_total"), [
    'delphix_dct_requests_total{operation="POST /vdbs/search",result="ok"} 1',
    'delphix_dct_requests_total{operation="POST /vdbs/search",result="unreachable"} 1',
  ]);
  deepEqual(samples(text, "delphix_dct_request_seconds_sum"), [
    'delphix_dct_request_seconds_sum{operation="POST /vdbs/search"} 3.02',
  ]);
  deepEqual(samples(text, "delphix_dct_jobs_total"), [
    'delphix_dct_jobs_total{type="DB_REFRESH",result="succeeded"} 1',
    'delphix_dct_jobs_total{type="unknown",result="failed"} 1',
  ]);
  deepEqual(samples(text, "delphix_dct_job_seconds_sum"), ['delphix_dct_job_seconds_sum{type="DB_REFRESH"} 4']);
});
