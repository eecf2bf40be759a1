import { type Cache, type CacheOptions, joinCaches, type KubeObject, type Manager, type Resource } from "kube-runtime";

/** The namespaces that this operator serves; none: all. */
export type Served = readonly string[];

export const isServed = (served: Served, namespace: string): boolean => served.length === 0 || served.includes(namespace);

/** For a message: "the namespace a alone". */
export const servedText = (served: Served): string =>
  `the ${served.length > 1 ? "namespaces" : "namespace"} ${served.join(", ")} alone`;

/** One cache of what the served namespaces hold of a resource: where the rights are in some alone, only these can be watched. */
export function cacheOfServed<T extends KubeObject>(
  manager: Pick<Manager, "cacheFor">,
  served: Served,
  resource: Resource<T>,
  options: CacheOptions<T>,
): Cache<T> {
  if (served.length === 0) return manager.cacheFor(resource, options);
  return joinCaches(served.map((namespace) => manager.cacheFor(resource, { ...options, namespace })));
}
