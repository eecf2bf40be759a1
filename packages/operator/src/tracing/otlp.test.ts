import { match } from "node:assert/strict";
import { test } from "node:test";
import { otlpTracer } from "./otlp.ts";

test("a collector that is not there is told, and keeps nobody waiting when the operator stops", { timeout: 30_000 }, async () => {
  const told: string[] = [];
  const tracer = otlpTracer("http://127.0.0.1:1", "operator-0", (error) => void told.push(String(error)));
  tracer.begin("work", {}, Date.now()).end(Date.now());
  await tracer[Symbol.asyncDispose]();
  match(told.join(), /ECONNREFUSED|bad port|failed/u);
});
