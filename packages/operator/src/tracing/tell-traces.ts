import type { ActionObject, PostgresVDB } from "@vdb/api";
import { type Cache, errorMessage, type Log, type Manager } from "kube-runtime";
import { listenUntil } from "../listen-until.ts";
import { traceWork } from "./trace-work.ts";

export interface TracingOptions {
  /** The OTLP collector; undefined: there are no traces. */
  readonly endpoint: string | undefined;
  /** Which replica it is. */
  readonly instance: string | undefined;
  readonly log: Log;
  readonly vdbs: Cache<PostgresVDB>;
  readonly actions: readonly Cache<ActionObject>[];
}

/** Traces the work on databases and actions while this replica leads: the others do none. */
export function tellTraces(
  manager: Pick<Manager, "whileLeading">,
  { endpoint, instance, log, vdbs, actions }: TracingOptions,
): void {
  if (endpoint === undefined) return;
  manager.whileLeading("traces", async (signal) => {
    const { otlpTracer } = await import("./otlp.ts");
    const tellError = (error: unknown): void => log.warn({ endpoint, error: errorMessage(error) }, "traces cannot be sent");
    await using tracer = otlpTracer(endpoint, instance, tellError);
    await listenUntil(signal, () => [vdbs, ...actions].map((cache) => cache.subscribe(traceWork(tracer, Date.now))));
  });
}
