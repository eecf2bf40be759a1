import { resourceName } from "../objects/resource.ts";
import { asRecord, textOf } from "../support/json.ts";
import type { ApiCall, Verb } from "./api.ts";

const methods: Readonly<Record<Verb, string>> = {
  get: "GET",
  list: "GET",
  watch: "GET",
  create: "POST",
  update: "PUT",
  patch: "PATCH",
  delete: "DELETE",
};

export const methodOf = (verb: Verb): string => methods[verb];

/** Path and query of a call. Throws when a call names no namespace where one is needed: a bug, not an answer. */
export function pathOf(call: ApiCall, prefix: string): string {
  const { resource, namespace, name, subresource, verb } = call;
  const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const across = verb === "list" || verb === "watch";
  if (resource.namespaced && namespace === undefined && !across)
    throw new TypeError(`${describeCall(call)}: it needs a namespace`);
  const place = resource.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  const item = name === undefined ? "" : `/${encodeURIComponent(name)}`;
  const query = new URLSearchParams({ ...call.query, ...(verb === "watch" ? { watch: "true" } : {}) }).toString();
  const path = `${prefix}${root}${place}/${resource.plural}${item}${subresource === undefined ? "" : `/${subresource}`}`;
  return query === "" ? path : `${path}?${query}`;
}

/** `patch deployments.apps team-a/web (status)`: how messages call it. */
export function describeCall({ verb, resource, namespace, name, subresource, body }: ApiCall): string {
  const created = verb === "create" ? textOf(asRecord(asRecord(body)["metadata"])["name"]) : undefined;
  const where = [namespace, name ?? created].filter((part) => part !== undefined).join("/");
  return [verb, resourceName(resource), where, subresource === undefined ? "" : `(${subresource})`]
    .filter((part) => part !== "")
    .join(" ");
}
