import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { samplesOf } from "./api-metrics.ts";

test("samples of one metric, not of another whose name begins so", () => {
  const answer = `# TYPE requests_total counter
requests_total{code="200",resource="pods",subresource=""} 12
requests_total{code="429",resource="",subresource="status"} 1.5e+02
requests_total_more{code="200"} 7`;
  deepEqual(samplesOf("requests_total", answer), [
    { labels: { code: "200", resource: "pods", subresource: "" }, value: 12 },
    { labels: { code: "429", resource: "", subresource: "status" }, value: 150 },
  ]);
});
