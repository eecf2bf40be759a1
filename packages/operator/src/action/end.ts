import type { ActionObject } from "@vdb/api";
import { type ConditionValue, endingSummary, type Run, type RunResult } from "kube-runtime";
import type { ActionContext } from "./context.ts";

/** The summary conditions; with an end, what else the status says of it, in the same write. */
export function endOf(result: RunResult<ActionContext>, run: Run<ActionObject>): readonly ConditionValue[] {
  const { outcome, deleting } = result;
  if (!deleting && (outcome.kind === "done" || outcome.kind === "terminal")) tellEnd(run, outcome.kind, outcome.message);
  return endingSummary(result);
}

function tellEnd({ status, clock }: Run<ActionObject>, kind: "done" | "terminal", message = ""): void {
  const nowMs = Math.max(clock.now(), Date.parse(status.startTime ?? "") || 0); // the wall clock may be set back
  status.completionTime = new Date(nowMs).toISOString();
  if (status.startTime !== undefined) status.duration = durationText((nowMs - Date.parse(status.startTime)) / 1000);
  if (kind === "terminal") status.lastError = message;
  else delete status.lastError;
}

/** Pure: `12s`, `3m5s`, `2h4m`, as kubectl writes durations. */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}m${whole % 60}s` : `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}
