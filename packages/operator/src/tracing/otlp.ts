/** Traces by OTLP over HTTP. A file of its own, imported only where an endpoint is configured: others never read these libraries. */
import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { setGlobalErrorHandler } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import type { Span, Tracer } from "./trace-work.ts";

/** `endpoint`: of the collector, without the path. Disposed, it sends what has ended; a collector that does not answer costs traces, nothing else. */
export function otlpTracer(
  endpoint: string,
  instance: string | undefined,
  tellError: (error: unknown) => void,
): Tracer & AsyncDisposable {
  setGlobalErrorHandler(tellError);
  // Whoever stops the operator does not wait for a collector that is gone.
  const timeoutMillis = 2000;
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.name": "delphix-operator",
      ...(instance === undefined ? {} : { "service.instance.id": instance }),
    }),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: 1000, exportTimeoutMillis: timeoutMillis })],
  });
  const tracer = provider.getTracer("delphix-operator");
  const contexts = new WeakMap<Span, ReturnType<typeof trace.setSpan>>();
  return {
    begin: (name, attributes, startTime, parent) => {
      const parentContext = parent === undefined ? context.active() : (contexts.get(parent) ?? context.active());
      const span = tracer.startSpan(name, { attributes, startTime }, parentContext);
      const ours: Span = {
        note: (note, noted, atMs) => void span.addEvent(note, noted, atMs),
        end: (atMs, failure) => {
          if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
          span.end(atMs);
        },
      };
      contexts.set(ours, trace.setSpan(parentContext, span));
      return ours;
    },
    [Symbol.asyncDispose]: async () => await provider.shutdown().catch(tellError),
  };
}
