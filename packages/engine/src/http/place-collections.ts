import { allEnvironments, allGroups } from "../catalogue/places.ts";
import { boolean, type Collection, engineFields, fewObjects, number, searchOnly, tagFields, text } from "./collection.ts";
import { pageQuery } from "./contract/queries.ts";
import { viewEngine, viewEnvironment, viewGroup } from "./views.ts";

export const engines: Collection = {
  path: "/management/engines",
  what: "engine",
  fields: {
    id: text,
    name: text,
    hostname: text,
    type: text,
    status: searchOnly.text,
    connection_status: text,
    version: text,
    data_storage_capacity: number,
    data_storage_used: number,
    insecure_ssl: searchOnly.boolean,
    ...tagFields,
  },
  defaultSort: "id",
  tags: { table: "engine", where: "CAST(number AS TEXT) = ?" },
  query: pageQuery,
  ...fewObjects((state) => [viewEngine(state)]),
};

export const environments: Collection = {
  path: "/environments",
  what: "environment",
  fields: {
    id: text,
    name: text,
    ...engineFields,
    enabled: boolean,
    is_cluster: boolean,
    is_replica: searchOnly.boolean,
    is_windows_target: searchOnly.boolean,
    "hosts.id": searchOnly.text,
    "hosts.hostname": searchOnly.text,
    "hosts.os_name": searchOnly.text,
    "hosts.available": searchOnly.boolean,
    "repositories.id": searchOnly.text,
    "repositories.name": searchOnly.text,
    "repositories.database_type": searchOnly.text,
    "repositories.allow_provisioning": searchOnly.boolean,
    "repositories.is_staging": searchOnly.boolean,
    ...tagFields,
  },
  defaultSort: "id",
  tags: { table: "environment" },
  query: pageQuery,
  ...fewObjects((state) => allEnvironments(state.catalogue).map((row) => viewEnvironment(state, row))),
};

export const groups: Collection = {
  path: "/groups",
  what: "dataset group",
  fields: { id: text, name: text, ...engineFields, is_replica: searchOnly.boolean },
  defaultSort: "id",
  query: pageQuery,
  ...fewObjects((state) => allGroups(state.catalogue).map((row) => viewGroup(state, row))),
};
