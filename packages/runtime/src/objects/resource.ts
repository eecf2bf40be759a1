import type { KubeObject } from "./object.ts";

/**
 * One resource of the API: where it is served, what its objects are called, and of which type they are.
 *
 * `decode` turns what the API server sent into `T`, and throws when it is something else. Left out, the CRD's or the
 * API server's own validation is trusted: what it stored has the shape it was checked for.
 */
export interface Resource<T extends KubeObject = KubeObject> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly decode?: (value: KubeObject) => T;
}

/** Declares a resource: `defineResource<Pod>({ group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true })`. */
export function defineResource<T extends KubeObject>(resource: Resource<T>): Resource<T> {
  return resource;
}

export function apiVersionOf({ group, version }: Pick<Resource, "group" | "version">): string {
  return group === "" ? version : `${group}/${version}`;
}

/** `pods`, `deployments.apps`: how a resource is called in messages. */
export function resourceName({ group, plural }: Pick<Resource, "group" | "plural">): string {
  return group === "" ? plural : `${plural}.${group}`;
}
