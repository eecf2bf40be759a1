import type { KubeObject } from "../objects/object.ts";
import type { Resource } from "../objects/resource.ts";
import type { Api, ApiCall } from "./api.ts";
import { isApiError } from "./api-error.ts";
import type { Client, Selection, WatchOptions, WriteOptions } from "./client.ts";
import { decodeGone, decodeObject, encodeObject } from "./codec.ts";
import { listAll } from "./list-pages.ts";
import { decodeFrames } from "./watch-frames.ts";

export interface ClientOptions {
  /** The field manager of writes that name none. */
  readonly fieldManager: string;
  /** A request that took longer is ended; 30 unless told. Watches are not bounded by it. */
  readonly timeoutSeconds?: number;
  /** Read metadata alone. */
  readonly metadataOnly?: boolean;
}

const mergePatch = "application/merge-patch+json";
/** JSON is YAML: what the API server takes as a server-side apply. */
const applyPatch = "application/apply-patch+yaml";

export function createClient(api: Api, options: ClientOptions): Client {
  const base = { timeoutSeconds: options.timeoutSeconds ?? 30, ...(options.metadataOnly === true ? { metadataOnly: true } : {}) };
  const write = (given: WriteOptions | undefined): Record<string, string> => ({
    fieldManager: given?.fieldManager ?? options.fieldManager,
    ...(given?.dryRun === true ? { dryRun: "All" } : {}),
  });
  const one = async <T extends KubeObject>(
    call: Omit<ApiCall, "timeoutSeconds">,
    resource: Resource<T>,
    signal: AbortSignal,
  ): Promise<T> => {
    const full = { ...base, ...call };
    return decodeObject(resource, await api.call(full, signal), full);
  };
  const client: Client = {
    get: (resource, key, signal) => one({ verb: "get", resource: plain(resource), ...key, query: {} }, resource, signal),
    find: async (resource, key, signal) => {
      try {
        return await client.get(resource, key, signal);
      } catch (error) {
        if (isApiError(error, "notFound")) return undefined;
        throw error;
      }
    },
    list: (resource, selection, signal) =>
      listAll(api, resource, { ...base, ...selectionCall("list", resource, selection) }, signal),
    create: (resource, object, signal, given) => {
      const call = { verb: "create", resource: plain(resource), ...namespaceOf(object.metadata), query: write(given) } as const;
      return one({ ...call, body: encodeObject(resource, object) }, resource, signal);
    },
    update: (resource, object, signal, given) => {
      const call = { verb: "update", resource: plain(resource), ...keyOnly(object.metadata), query: write(given) } as const;
      return one({ ...call, body: encodeObject(resource, object) }, resource, signal);
    },
    updateStatus: (resource, object, signal, given) => {
      const call = {
        verb: "update",
        resource: plain(resource),
        ...keyOnly(object.metadata),
        subresource: "status",
        query: write(given),
      } as const;
      return one({ ...call, body: object }, resource, signal);
    },
    apply: (resource, object, { force, ...given }, signal) => {
      const query = { ...write(given), force: String(force) };
      const call = {
        verb: "patch",
        resource: plain(resource),
        ...keyOnly(object.metadata),
        query,
        contentType: applyPatch,
      } as const;
      return one({ ...call, body: encodeObject(resource, object) }, resource, signal);
    },
    applyStatus: (resource, object, { force, ...given }, signal) => {
      const query = { ...write(given), force: String(force) };
      const call = {
        verb: "patch",
        resource: plain(resource),
        ...keyOnly(object.metadata),
        subresource: "status",
        query,
      } as const;
      return one({ ...call, contentType: applyPatch, body: encodeObject(resource, object) }, resource, signal);
    },
    patch: (resource, key, patch, signal, given) => {
      const call = { verb: "patch", resource: plain(resource), ...keyOnly(key), query: write(given) } as const;
      return one({ ...call, contentType: mergePatch, body: patch }, resource, signal);
    },
    patchStatus: (resource, key, patch, signal, given) => {
      const call = {
        verb: "patch",
        resource: plain(resource),
        ...keyOnly(key),
        subresource: "status",
        query: write(given),
      } as const;
      return one({ ...call, contentType: mergePatch, body: patch }, resource, signal);
    },
    delete: async (resource, key, signal, given = {}) => {
      const body = { apiVersion: "v1", kind: "DeleteOptions", ...given };
      const call = { ...base, verb: "delete", resource: plain(resource), ...keyOnly(key), query: {}, body } as const;
      return decodeGone(resource, await api.call(call, signal), call);
    },
    subresource: (resource, key, { name, verb, body }, signal) => {
      const sent = body === undefined ? {} : { body, ...(verb === "patch" ? { contentType: mergePatch } : {}) };
      const query = verb === "get" ? {} : write(undefined);
      return api.call({ ...base, verb, resource: plain(resource), ...keyOnly(key), subresource: name, query, ...sent }, signal);
    },
    watch: (resource, watchOptions, signal) => {
      const call = { ...base, ...selectionCall("watch", resource, watchOptions) };
      return decodeFrames(api, resource, { ...call, query: { ...call.query, ...watchQuery(watchOptions) } }, signal);
    },
  };
  return client;
}

/** A call does not carry the decoder: only the address matters below the client. */
const plain = <T extends KubeObject>({ group, version, kind, plural, namespaced }: Resource<T>): Resource => ({
  group,
  version,
  kind,
  plural,
  namespaced,
});

const namespaceOf = ({ namespace }: { readonly namespace?: string }): { readonly namespace?: string } =>
  namespace === undefined ? {} : { namespace };
const keyOnly = (key: {
  readonly name: string;
  readonly namespace?: string;
}): { readonly name: string; readonly namespace?: string } => ({
  name: key.name,
  ...namespaceOf(key),
});

function selectionCall<T extends KubeObject>(
  verb: "list" | "watch",
  resource: Resource<T>,
  selection: Selection,
): Omit<ApiCall, "timeoutSeconds"> {
  const { namespace, labelSelector, fieldSelector } = selection;
  const query = {
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
  return { verb, resource: plain(resource), ...(namespace === undefined ? {} : { namespace }), query };
}

function watchQuery(options: WatchOptions): Record<string, string> {
  const { resourceVersion, timeoutSeconds, sendInitialEvents } = options;
  return {
    allowWatchBookmarks: "true",
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds: String(timeoutSeconds) }),
    ...(sendInitialEvents === true ? { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" } : {}),
  };
}
