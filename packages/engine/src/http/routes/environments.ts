import { allEnvironments } from "../../catalogue/places.ts";
import { notFound } from "../../refusal.ts";
import { ok, type Route, reading } from "../router.ts";
import type { ApiState } from "../state.ts";
import { viewUsers } from "../views.ts";

/** Environments are listed, searched and fetched like every collection; see lists.ts. */
export const environmentRoutes = ({ catalogue }: ApiState): readonly Route[] => [
  reading("/environments/:id/users", {}, ({ params: { id = "" } }) => {
    const environment = allEnvironments(catalogue).find((one) => one.id === id);
    if (environment === undefined) throw notFound("environment", id);
    return ok({ users: viewUsers(environment) });
  }),
];
