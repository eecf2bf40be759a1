import { type createDctClient, type Job, jobClass } from "@vdb/dct";
import type { Metrics } from "kube-runtime";
import { workBuckets } from "./work-metrics.ts";

const requestBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** An ended job may be looked at more than once: so many are remembered as counted. */
const jobsRemembered = 1_000;

/** Counts the operator's calls to DCT, and the jobs that it has waited for. */
export function measuredDct(metrics: Metrics, connect: typeof createDctClient): typeof createDctClient {
  const requests = metrics.counter("delphix_dct_requests_total", "Calls to DCT that were sent, by how they ended.", [
    "operation",
    "result",
  ]);
  const took = metrics.histogram("delphix_dct_request_seconds", "How long calls to DCT took.", requestBuckets, ["operation"]);
  const onJob = jobCounter(metrics);
  return (options) => {
    const client = connect({
      ...options,
      onCall: ({ operation, result, seconds }) => {
        requests.inc({ operation, result });
        took.observe(seconds, { operation });
      },
    });
    return {
      ...client,
      getJob: async (...asked) => {
        const job = await client.getJob(...asked);
        if (job !== undefined) onJob(job);
        return job;
      },
    };
  };
}

function jobCounter(metrics: Metrics): (job: Job) => void {
  const ended = metrics.counter("delphix_dct_jobs_total", "DCT jobs that the operator has seen end.", ["type", "result"]);
  const took = metrics.histogram(
    "delphix_dct_job_seconds",
    "How long DCT jobs took that the operator has seen end.",
    workBuckets,
    ["type"],
  );
  const counted = new Set<string>();
  return ({ id, status, type = "unknown", start_time: from, update_time: to }) => {
    const result = jobClass(status);
    if ((result !== "succeeded" && result !== "failed") || counted.has(id)) return;
    counted.add(id);
    for (const oldest of counted) {
      if (counted.size <= jobsRemembered) break;
      counted.delete(oldest);
    }
    ended.inc({ type, result });
    const seconds = (Date.parse(to ?? "") - Date.parse(from ?? "")) / 1000;
    if (Number.isFinite(seconds)) took.observe(Math.max(0, seconds), { type });
  };
}
