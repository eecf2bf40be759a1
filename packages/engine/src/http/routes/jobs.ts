import type { JobRow } from "../../catalogue/rows.ts";
import { abandonJob } from "../../jobs/abandon.ts";
import { jobById } from "../../jobs/submit.ts";
import { conflict, notFound } from "../../refusal.ts";
import { acting, ok, type Route, reading } from "../router.ts";
import type { ApiState } from "../state.ts";

export const jobRoutes = ({ catalogue, runner }: ApiState): readonly Route[] => [
  reading("/jobs/:id/result", {}, ({ params: { id = "" } }) => {
    const job = jobById(catalogue, id);
    if (job === undefined) throw notFound("job", id);
    if (job.status !== "COMPLETED")
      throw conflict(`job ${id} (${job.type} of ${job.target_name}) has no result: its status is ${job.status}`);
    return ok({ job_id: id, result_type: `${job.type}_RESULT`, result: resultOf(job) });
  }),
  acting({ path: "/jobs/:id/abandon", body: {} }, (_, { params: { id = "" } }) => {
    abandonJob(catalogue, runner, id);
    return { status: 204, body: undefined };
  }),
];

/** What the job was about, and the objects that it has made. */
function resultOf({ target_id, parameters }: JobRow): Readonly<Record<string, unknown>> {
  const { snapshotId, timeflowId } = parameters;
  return {
    target_id,
    ...(snapshotId === undefined ? {} : { snapshot_id: snapshotId }),
    ...(timeflowId === undefined ? {} : { timeflow_id: timeflowId }),
  };
}
