import { allEnvironments, allGroups } from "../catalogue/places.ts";
import { type Collection, engineFields, fewObjects } from "./collection.ts";
import { viewEngine, viewEnvironment, viewGroup } from "./views.ts";

export const engines: Collection = {
  path: "/management/engines",
  what: "engine",
  fields: {
    id: "text",
    uuid: "text",
    name: "text",
    hostname: "text",
    type: "text",
    status: "text",
    connection_status: "text",
    version: "text",
    data_storage_capacity: "number",
    data_storage_used: "number",
  },
  sortable: ["id", "name", "hostname", "data_storage_capacity", "data_storage_used"],
  defaultSort: "id",
  ...fewObjects((state) => [viewEngine(state)]),
};

export const environments: Collection = {
  path: "/environments",
  what: "environment",
  fields: {
    id: "text",
    name: "text",
    ...engineFields,
    enabled: "boolean",
    "hosts.id": "text",
    "hosts.hostname": "text",
    "repositories.id": "text",
    "repositories.name": "text",
  },
  sortable: ["id", "name", "engine_id"],
  defaultSort: "id",
  ...fewObjects((state) => allEnvironments(state.catalogue).map((row) => viewEnvironment(state, row))),
};

export const groups: Collection = {
  path: "/groups",
  what: "dataset group",
  fields: { id: "text", name: "text", ...engineFields },
  sortable: ["id", "name", "engine_id"],
  defaultSort: "id",
  ...fewObjects((state) => allGroups(state.catalogue).map((row) => viewGroup(state, row))),
};
