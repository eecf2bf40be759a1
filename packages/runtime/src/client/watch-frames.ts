import type { KubeObject } from "../objects/object.ts";
import type { Resource } from "../objects/resource.ts";
import { asRecord, textOf } from "../support/json.ts";
import type { Api, ApiCall } from "./api.ts";
import { describeCall } from "./call-path.ts";
import type { WatchEvent } from "./client.ts";
import { badAnswer, decodeObject } from "./codec.ts";
import { errorOfStatus } from "./decode-status.ts";

/** The events of one watch. An error frame is thrown: after it the API server sends nothing more. */
export async function* decodeFrames<T extends KubeObject>(
  api: Api,
  resource: Resource<T>,
  call: ApiCall,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>> {
  for await (const frame of await api.watch(call, signal)) yield decodeFrame(resource, frame, call);
}

function decodeFrame<T extends KubeObject>(resource: Resource<T>, frame: unknown, call: ApiCall): WatchEvent<T> {
  const { type, object } = asRecord(frame);
  switch (type) {
    case "ADDED":
      return { type: "added", object: decodeObject(resource, object, call) };
    case "MODIFIED":
      return { type: "modified", object: decodeObject(resource, object, call) };
    case "DELETED":
      return { type: "deleted", object: decodeObject(resource, object, call) };
    case "BOOKMARK":
      return decodeBookmark(object, call);
    case "ERROR":
      throw errorOfStatus(500, undefined, object, describeCall(call));
    default:
      throw badAnswer(call, `a watch event of type ${String(type)}`);
  }
}

function decodeBookmark(value: unknown, call: ApiCall): WatchEvent<never> {
  const metadata = asRecord(asRecord(value)["metadata"]);
  const resourceVersion = textOf(metadata["resourceVersion"]);
  if (resourceVersion === undefined) throw badAnswer(call, "a bookmark without a version");
  const initialEventsEnd = asRecord(metadata["annotations"])["k8s.io/initial-events-end"] === "true";
  return { type: "bookmark", resourceVersion, initialEventsEnd };
}
