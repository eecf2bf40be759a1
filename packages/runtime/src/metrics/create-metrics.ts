import type { Metrics } from "./metrics.ts";

export function createMetrics(): Metrics {
  throw new Error("not yet");
}
