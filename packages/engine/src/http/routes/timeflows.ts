import { deleteTimeflow } from "../../jobs/delete-timeflow.ts";
import { acting, type Route } from "../router.ts";
import { start } from "../start.ts";
import type { ApiState } from "../state.ts";

/** Timeflows are listed, searched and fetched like every collection; see lists.ts. */
export const timeflowRoutes = (state: ApiState): readonly Route[] => [
  acting({ method: "DELETE", path: "/timeflows/:id", body: {} }, (_, { params: { id = "" } }) => ({
    status: 202,
    body: { job: start(state, deleteTimeflow, id) },
  })),
];
