import type { KubeObject } from "../objects/object.ts";
import type { Resource } from "../objects/resource.ts";
import { asRecord, textOf } from "../support/json.ts";
import type { Api, ApiCall } from "./api.ts";
import { isApiError } from "./api-error.ts";
import type { ObjectList } from "./client.ts";
import { badAnswer, decodeObject } from "./codec.ts";

/** Objects a page: bounds the memory of one answer. */
const pageSize = 500;

/**
 * All pages of a list. When the API server compacted the version the pages are of, what is left is listed at once, which
 * needs no version that could expire.
 */
export async function listAll<T extends KubeObject>(
  api: Api,
  resource: Resource<T>,
  call: ApiCall,
  signal: AbortSignal,
): Promise<ObjectList<T>> {
  try {
    return await listByPages(api, resource, call, signal);
  } catch (error) {
    if (!isApiError(error, "gone")) throw error;
    const page = await onePage(api, resource, call, signal);
    return { items: page.items, resourceVersion: page.resourceVersion };
  }
}

async function listByPages<T extends KubeObject>(
  api: Api,
  resource: Resource<T>,
  call: ApiCall,
  signal: AbortSignal,
): Promise<ObjectList<T>> {
  const items: T[] = [];
  let token: string | undefined;
  for (;;) {
    const query = { ...call.query, limit: String(pageSize), ...(token === undefined ? {} : { continue: token }) };
    const page = await onePage(api, resource, { ...call, query }, signal);
    for (const item of page.items) items.push(item);
    token = page.continueToken;
    if (token === undefined) return { items, resourceVersion: page.resourceVersion };
  }
}

interface Page<T> extends ObjectList<T> {
  readonly continueToken: string | undefined;
}

async function onePage<T extends KubeObject>(
  api: Api,
  resource: Resource<T>,
  call: ApiCall,
  signal: AbortSignal,
): Promise<Page<T>> {
  const answer = asRecord(await api.call(call, signal));
  const metadata = asRecord(answer["metadata"]);
  const resourceVersion = textOf(metadata["resourceVersion"]);
  if (resourceVersion === undefined) throw badAnswer(call, "it is not a list");
  const items = Array.isArray(answer["items"]) ? answer["items"] : []; // an empty list may come as null
  return {
    items: items.map((item: unknown) => decodeObject(resource, item, call)),
    resourceVersion,
    continueToken: textOf(metadata["continue"]),
  };
}
