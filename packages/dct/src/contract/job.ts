/** Jobs: everything that takes longer than a request answers with one. */
import { boolean, type Decoded, list, number, object, string } from "../decode.ts";
import { decodeTag } from "./places.ts";

const decodeJobTask = object({}, { id: string, title: string, status: string, percent_complete: number });

export const decodeJob = object(
  { id: string, status: string },
  {
    type: string,
    error_details: string,
    warning_message: string,
    target_id: string,
    target_name: string,
    start_time: string,
    update_time: string,
    percent_complete: number,
    is_waiting_for_telemetry: boolean,
    localized_type: string,
    engine_ids: list(string),
    engines: list(object({}, { engine_id: string, engine_name: string })),
    account_id: number,
    account_name: string,
    tags: list(decodeTag),
    tasks: list(decodeJobTask),
  },
);
export type Job = Decoded<typeof decodeJob>;

/** `goesOn`: poll again. `stuck`: a person has to act, poll slowly. */
export type JobClass = "goesOn" | "stuck" | "succeeded" | "failed";

const classes: ReadonlyMap<string, JobClass> = new Map([
  ["PENDING", "goesOn"],
  ["STARTED", "goesOn"],
  ["RUNNING", "goesOn"],
  ["WAITING", "goesOn"],
  ["SUSPENDED", "stuck"],
  ["COMPLETED", "succeeded"],
  ["FAILED", "failed"],
  ["CANCELED", "failed"],
  ["ABANDONED", "failed"],
  ["TIMEDOUT", "failed"],
]);

/** States under which a job may still have an effect; for search filters. */
export const unfinishedJobStates = ["PENDING", "STARTED", "RUNNING", "WAITING", "SUSPENDED"] as const;

/** What a job's status means to the one who waits. A status nobody knows yet goes on: the waiter's deadline ends it. */
export function jobClass(status: string): JobClass {
  return classes.get(status) ?? "goesOn";
}
