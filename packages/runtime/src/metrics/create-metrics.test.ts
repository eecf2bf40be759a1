import { equal } from "node:assert/strict";
import { test } from "node:test";
import { createMetrics } from "./create-metrics.ts";

test("the text is what Prometheus reads", () => {
  const metrics = createMetrics();
  metrics.counter("requests_total", "Requests.", ["code"]).inc({ code: 'a"b\\c\nd' });
  metrics.counter("requests_total", "Requests.", ["code"]).inc({ code: "200" }, 2);
  metrics.gauge("depth", "Depth.").set(3);
  metrics.gauge("open", "Open.", ["name"]).collect(() => [{ value: 1, labels: { name: "x" } }]);
  const seconds = metrics.histogram("seconds", "Seconds.", [0.1, 1], ["who"]);
  for (const value of [0.05, 0.1, 0.5, 7]) seconds.observe(value, { who: "me" });
  equal(
    metrics.text(),
    [
      "# HELP requests_total Requests.",
      "# TYPE requests_total counter",
      'requests_total{code="a\\"b\\\\c\\nd"} 1',
      'requests_total{code="200"} 2',
      "# HELP depth Depth.",
      "# TYPE depth gauge",
      "depth 3",
      "# HELP open Open.",
      "# TYPE open gauge",
      'open{name="x"} 1',
      "# HELP seconds Seconds.",
      "# TYPE seconds histogram",
      'seconds_bucket{who="me",le="0.1"} 2',
      'seconds_bucket{who="me",le="1"} 3',
      'seconds_bucket{who="me",le="+Inf"} 4',
      'seconds_sum{who="me"} 7.65',
      'seconds_count{who="me"} 4',
      "",
    ].join("\n"),
  );
});
