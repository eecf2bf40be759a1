/** Calls relative to the base path of the API, which is found at the first call and kept. */
import { anyCall } from "./base-path.ts";
import { type Decoded, type Decoder, list, object, string } from "./decode.ts";
import { DctError } from "./errors.ts";
import type { Filter } from "./filter.ts";
import type { Call, Transport } from "./transport.ts";

/** The most that one page may hold (specification of the API). */
const pageLimit = 1000;

interface Find {
  readonly limit?: number;
  readonly sort?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Pages {
  find<T>(path: string, item: Decoder<T>, filter: Filter | undefined, options: Find): Promise<readonly T[]>;
  get<T>(path: string, decode: Decoder<T>, signal: AbortSignal | undefined): Promise<T | undefined>;
  send<T>(method: Call["method"], path: string, body: unknown, decode: Decoder<T>, signal: AbortSignal | undefined): Promise<T>;
}

export function createPages(transport: Transport, probe: (signal?: AbortSignal) => Promise<string>): Pages {
  let basePath: string | undefined;
  const base = async (signal: AbortSignal | undefined): Promise<string> => (basePath ??= await probe(signal));

  const send: Pages["send"] = async (method, path, body, decode, signal) =>
    transport.call({ method, path: (await base(signal)) + path, operation: operationOf(method, path), body, signal }, decode);

  return {
    send,
    find: async (path, item, filter, { limit = Number.POSITIVE_INFINITY, sort, signal }) => {
      const page = object({ items: list(item) }, { response_metadata: object({}, { next_cursor: string }) });
      const body = filter === undefined ? {} : { filter_expression: filter };
      const all: Decoded<typeof item>[] = [];
      let cursor: string | undefined;
      do {
        const query: Record<string, string | number> = {
          limit: Math.min(limit - all.length, pageLimit),
          ...(sort === undefined ? {} : { sort }),
          ...(cursor === undefined ? {} : { cursor }),
        };
        const operation = `POST ${path}/search`;
        const call = { method: "POST", path: `${await base(signal)}${path}/search`, operation, query, body, signal } as const;
        const { items, response_metadata }: Decoded<typeof page> = await transport.call(call, page);
        all.push(...items);
        // A cursor that comes back unchanged would turn this loop into an endless one.
        cursor = response_metadata?.next_cursor === cursor ? undefined : response_metadata?.next_cursor;
      } while (cursor !== undefined && all.length < limit);
      return all.slice(0, limit);
    },
    get: async (objectPath, decode, signal) => {
      try {
        const operation = operationOf("GET", objectPath);
        return await transport.call({ method: "GET", path: (await base(signal)) + objectPath, operation, signal }, decode);
      } catch (error) {
        if (!(error instanceof DctError && error.kind === "notFound")) throw error;
        // After an upgrade that moves the base path, or behind a broken proxy, everything answers 404. To take that for
        // "gone" would let a caller forget objects that exist, so the API itself has to be there for a 404 to count.
        await transport.call(anyCall(await base(signal), signal), object({}, {})).catch((cause: unknown) => {
          basePath = undefined;
          throw cause instanceof DctError && cause.kind === "notFound"
            ? new DctError("badAnswer", `${error.message}; the API itself answers 404 too: check DCT_URL`, { cause })
            : cause;
        });
        return undefined;
      }
    },
  };
}

/** What stands behind a collection's name without being an id. */
const ofCollections: ReadonlySet<string> = new Set(["provision_by_snapshot", "appdata", "delete"]);

/** Pure: the call without its id, for example `POST /vdbs/{id}/enable` of `/vdbs/12/enable`. */
export function operationOf(method: Call["method"], path: string): string {
  const [, collection = path, second, rest = ""] = /^(\/management\/\w+|\/\w+)(?:\/([^/]+))?(\/.*)?$/u.exec(path) ?? [];
  if (second === undefined) return `${method} ${collection}`;
  return `${method} ${collection}/${ofCollections.has(second) ? second : "{id}"}${rest}`;
}
