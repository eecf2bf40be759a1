import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { startTestApi } from "./http/testing/api.ts";
import { engineMetrics } from "./metrics.ts";

/** The samples of one metric, by their labels. */
const samples = (text: string, name: string): readonly string[] =>
  text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));

test("metrics tell ended jobs by type and result, the pool's bytes, and how old each dSource's data is", async () => {
  await using api = await startTestApi();
  const { sourceId } = api.linked("orders");
  const metrics = engineMetrics({
    catalogue: api.catalogue,
    storageFigures: () => ({ capacityBytes: 300, usedBytes: 200, reserveBytes: 10 }),
    now: () => new Date("2026-01-02T03:05:05.678Z"), // a minute after the snapshot of linked()
    streamOf: () => ({ isStreaming: true, lagBytes: 16, lagSeconds: 2.5, lastContact: new Date("2026-01-02T03:05:00Z") }),
  });
  metrics.jobEnded("DB_PROVISION", "completed", 0.2);
  metrics.jobEnded("DB_PROVISION", "completed", 0.3);
  metrics.jobEnded("DB_PROVISION", "failed", 2);
  metrics.baseBackupCame({ id: sourceId, name: "orders" }, { readBytes: 1000, writtenBytes: 900 });
  metrics.baseBackupCame({ id: sourceId, name: "orders" }, { readBytes: 1000, writtenBytes: 8 });
  metrics.streamCame({ id: sourceId, name: "orders" }, 16);
  const text = metrics.text();
  deepEqual(samples(text, "delphix_engine_jobs_total"), [
    'delphix_engine_jobs_total{type="DB_PROVISION",result="completed"} 2',
    'delphix_engine_jobs_total{type="DB_PROVISION",result="failed"} 1',
  ]);
  deepEqual(samples(text, "delphix_engine_job_seconds_sum"), ['delphix_engine_job_seconds_sum{type="DB_PROVISION"} 2.5']);
  deepEqual(samples(text, "delphix_engine_pool_used_bytes"), ["delphix_engine_pool_used_bytes 200"]);
  deepEqual(samples(text, "delphix_engine_pool_capacity_bytes"), ["delphix_engine_pool_capacity_bytes 300"]);
  deepEqual(samples(text, "delphix_engine_pool_reserve_bytes"), ["delphix_engine_pool_reserve_bytes 10"]);
  deepEqual(samples(text, "delphix_engine_jobs_unfinished"), ["delphix_engine_jobs_unfinished 0"]);
  const labels = `{id="${sourceId}",name="orders"}`;
  deepEqual(samples(text, "delphix_engine_dsource_lag_seconds"), [`delphix_engine_dsource_lag_seconds${labels} 60`]);
  deepEqual(samples(text, "delphix_engine_dsource_streaming"), [`delphix_engine_dsource_streaming${labels} 1`]);
  deepEqual(samples(text, "delphix_engine_dsource_stream_lag_bytes"), [`delphix_engine_dsource_stream_lag_bytes${labels} 16`]);
  deepEqual(samples(text, "delphix_engine_dsource_stream_lag_seconds"), [
    `delphix_engine_dsource_stream_lag_seconds${labels} 2.5`,
  ]);
  deepEqual(samples(text, "delphix_engine_dsource_last_contact_timestamp_seconds"), [
    `delphix_engine_dsource_last_contact_timestamp_seconds${labels} 1767323100`,
  ]);
  deepEqual(samples(text, "delphix_engine_dsource_failing"), [`delphix_engine_dsource_failing${labels} 0`]);
  deepEqual(samples(text, "delphix_engine_dsource_read_bytes_total"), [`delphix_engine_dsource_read_bytes_total${labels} 2016`]);
  deepEqual(samples(text, "delphix_engine_dsource_written_bytes_total"), [
    `delphix_engine_dsource_written_bytes_total${labels} 908`,
  ]);

  api.catalogue.run("UPDATE dsource SET last_error = 'the server does not answer'");
  api.catalogue.run("UPDATE snapshot SET state = 'creating'");
  deepEqual(samples(metrics.text(), "delphix_engine_dsource_failing"), [`delphix_engine_dsource_failing${labels} 1`]);
  deepEqual(samples(metrics.text(), "delphix_engine_dsource_lag_seconds"), [], "no data, no age");
  equal(metrics.text().includes("undefined"), false);
});
