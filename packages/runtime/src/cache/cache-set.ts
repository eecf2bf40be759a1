import type { Client } from "../client/client.ts";
import type { KubeObject } from "../objects/object.ts";
import { type Resource, resourceName } from "../objects/resource.ts";
import type { Cache, CacheOptions } from "./cache.ts";
import type { ManagedCache } from "./create-cache.ts";

/** All caches of a manager: one for each resource and selection, however many ask for it. */
export interface CacheSet {
  readonly cacheFor: <T extends KubeObject>(resource: Resource<T>, options: CacheOptions<T>) => Cache<T>;
  readonly all: () => readonly ManagedCache[];
  /** The client, with its writes noted in the caches before the writer goes on, as made by `origin`. */
  readonly remembering: (client: Client, origin?: string) => Client;
}

export type MakeCache = <T extends KubeObject>(resource: Resource<T>, options: CacheOptions<T>) => ManagedCache<T>;

export function createCacheSet(make: MakeCache): CacheSet {
  const caches = new Map<string, ManagedCache>();
  const note = <T extends KubeObject>(resource: Resource<T>, object: T, origin: string | undefined): T => {
    for (const cache of caches.values()) if (isSame(cache.resource, resource)) cache.wrote(object, origin);
    return object;
  };
  return {
    all: () => [...caches.values()],
    cacheFor: <T extends KubeObject>(resource: Resource<T>, options: CacheOptions<T>) => {
      const id = identityOf(resource, options);
      const present = caches.get(id);
      if (present !== undefined) {
        const shared = typed<T>(present);
        shared.addIndexes(options.indexes ?? {});
        return shared;
      }
      const made = make(resource, options);
      caches.set(id, untyped(made));
      return made;
    },
    remembering: (client, origin) => {
      const noted = <T extends KubeObject>(resource: Resource<T>, object: T): T => note(resource, object, origin);
      return {
        ...client,
        create: async (resource, object, signal, options) => {
          const answer = await client.create(resource, object, signal, options);
          return options?.dryRun === true ? answer : noted(resource, answer);
        },
        update: async (resource, object, signal, options) => {
          const answer = await client.update(resource, object, signal, options);
          return options?.dryRun === true ? answer : noted(resource, answer);
        },
        updateStatus: async (resource, object, signal, options) => {
          const answer = await client.updateStatus(resource, object, signal, options);
          return options?.dryRun === true ? answer : noted(resource, answer);
        },
        apply: async (resource, object, options, signal) => {
          const answer = await client.apply(resource, object, options, signal);
          return options.dryRun === true ? answer : noted(resource, answer);
        },
        applyStatus: async (resource, object, options, signal) => {
          const answer = await client.applyStatus(resource, object, options, signal);
          return options.dryRun === true ? answer : noted(resource, answer);
        },
        patch: async (resource, key, patch, signal, options) => {
          const answer = await client.patch(resource, key, patch, signal, options);
          return options?.dryRun === true ? answer : noted(resource, answer);
        },
        patchStatus: async (resource, key, patch, signal, options) => {
          const answer = await client.patchStatus(resource, key, patch, signal, options);
          return options?.dryRun === true ? answer : noted(resource, answer);
        },
        delete: async (resource, key, signal, options) => {
          const concerned = [...caches.values()].filter((cache) => isSame(cache.resource, resource));
          // Asked before: afterwards there may be another object of this name.
          const uid =
            options?.preconditions?.uid ??
            concerned.map((cache) => cache.get(key)?.metadata.uid).find((found) => found !== undefined);
          const answer = await client.delete(resource, key, signal, options);
          if (answer !== undefined) return noted(resource, answer);
          if (uid !== undefined) for (const cache of concerned) cache.deletedByUs(key, uid);
          return undefined;
        },
      };
    },
  };
}

const isSame = (a: Pick<Resource, "group" | "plural" | "version">, b: Pick<Resource, "group" | "plural" | "version">): boolean =>
  a.plural === b.plural && a.group === b.group && a.version === b.version;

function identityOf<T extends KubeObject>(resource: Resource<T>, options: CacheOptions<T>): string {
  const { namespace, labelSelector, fieldSelector, metadataOnly } = options;
  return JSON.stringify([
    resourceName(resource),
    resource.version,
    namespace,
    labelSelector,
    fieldSelector,
    metadataOnly === true,
  ]);
}

/** Caches of all types stand in one map under an identity that fixes the type: these two are its only ways in and out. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion, typescript/no-unnecessary-type-parameters -- see above
const typed = <T extends KubeObject>(cache: ManagedCache): ManagedCache<T> => cache as unknown as ManagedCache<T>;
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
const untyped = <T extends KubeObject>(cache: ManagedCache<T>): ManagedCache => cache as unknown as ManagedCache;
