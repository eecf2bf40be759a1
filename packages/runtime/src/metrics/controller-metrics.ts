import type { QueueObserver, WorkQueue } from "../queue/work-queue.ts";
import type { Metrics } from "./metrics.ts";

/** How one run ended, by the names of controller-runtime's label `result`. */
export type RunLabel = "success" | "requeue" | "requeue_after" | "error";

export interface ControllerMetrics {
  readonly onRun: (result: RunLabel, seconds: number) => void;
  readonly onTerminal: () => void;
  readonly onTimeout: () => void;
  /** A throw that is a bug of the program, as a panic is in Go. */
  readonly onPanic: () => void;
  readonly active: (by: 1 | -1) => void;
  readonly queue: QueueObserver;
  readonly watchQueue: (queue: WorkQueue) => void;
}

const runBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2, 2.5, 3,
  3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
]; // prettier-ignore
const queueBuckets = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000];

/** The metrics of one controller, under controller-runtime's names, so that its dashboards and alerts work. */
export function controllerMetrics(metrics: Metrics, controller: string, concurrency: number): ControllerMetrics {
  const labels = { controller };
  const queueLabels = { controller, name: controller };
  const named = ["controller", "name"];
  const total = metrics.counter("controller_runtime_reconcile_total", "Total number of reconciliations per controller", [
    "controller",
    "result",
  ]);
  const errors = metrics.counter(
    "controller_runtime_reconcile_errors_total",
    "Total number of reconciliation errors per controller",
    ["controller"],
  );
  const terminal = metrics.counter(
    "controller_runtime_terminal_reconcile_errors_total",
    "Total number of terminal reconciliation errors per controller",
    ["controller"],
  );
  const timeouts = metrics.counter(
    "controller_runtime_reconcile_timeouts_total",
    "Total number of reconciliation timeouts per controller",
    ["controller"],
  );
  const panics = metrics.counter(
    "controller_runtime_reconcile_panics_total",
    "Total number of reconciliation panics per controller",
    ["controller"],
  );
  const time = metrics.histogram(
    "controller_runtime_reconcile_time_seconds",
    "Length of time per reconciliation per controller",
    runBuckets,
    ["controller"],
  );
  const active = metrics.gauge("controller_runtime_active_workers", "Number of currently used workers per controller", [
    "controller",
  ]);
  metrics
    .gauge("controller_runtime_max_concurrent_reconciles", "Maximum number of concurrent reconciles per controller", [
      "controller",
    ])
    .set(concurrency, labels);
  const adds = metrics.counter("workqueue_adds_total", "Total number of adds handled by workqueue", named);
  const retries = metrics.counter("workqueue_retries_total", "Total number of retries handled by workqueue", named);
  const waited = metrics.histogram(
    "workqueue_queue_duration_seconds",
    "How long in seconds an item stays in workqueue before being requested",
    queueBuckets,
    named,
  );
  const worked = metrics.histogram(
    "workqueue_work_duration_seconds",
    "How long in seconds processing an item from workqueue takes.",
    queueBuckets,
    named,
  );
  const gauge = (name: string, help: string, read: () => number): void =>
    metrics.gauge(name, help, named).collect(() => [{ value: read(), labels: queueLabels }]);
  active.set(0, labels);
  for (const result of ["success", "requeue", "requeue_after", "error"]) total.inc({ controller, result }, 0);
  for (const counter of [errors, terminal, timeouts, panics]) counter.inc(labels, 0);
  return {
    onRun: (result, seconds) => {
      total.inc({ controller, result });
      if (result === "error") errors.inc(labels);
      time.observe(seconds, labels);
    },
    onTerminal: () => terminal.inc(labels),
    onTimeout: () => timeouts.inc(labels),
    onPanic: () => panics.inc(labels),
    active: (by) => active.add(by, labels),
    queue: {
      onAdd: () => adds.inc(queueLabels),
      onRetry: () => retries.inc(queueLabels),
      onTake: (ms) => waited.observe(ms / 1000, queueLabels),
      onDone: (ms) => worked.observe(ms / 1000, queueLabels),
    },
    watchQueue: (queue) => {
      const seconds = (): readonly number[] => queue.running().map((ms) => ms / 1000);
      gauge("kube_runtime_workqueue_failing", "Keys whose last run failed and that will be retried.", queue.failing);
      gauge("workqueue_depth", "Current depth of workqueue", queue.depth);
      gauge("workqueue_unfinished_work_seconds", "How many seconds of work has been done that is in progress.", () =>
        seconds().reduce((sum, one) => sum + one, 0),
      );
      gauge(
        "workqueue_longest_running_processor_seconds",
        "How many seconds has the longest running processor been running.",
        () => Math.max(0, ...seconds()),
      );
    },
  };
}
