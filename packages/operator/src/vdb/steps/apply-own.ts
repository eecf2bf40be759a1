import {
  isApiError,
  isControlledBy,
  type KubeObject,
  type Manifest,
  type Outcome,
  type Resource,
  terminal,
  type Unmet,
} from "kube-runtime";
import type { ApiReason, VdbContext } from "../context.ts";
import { operatorName } from "../names.ts";

/** Why an object could not be written; part of every condition whose step writes one. */
export type NotApplied = Unmet<"NameTaken" | ApiReason>;

/**
 * Writes one of the database's own objects. Where the cache has none of that name, the API server is asked first: the caches
 * hold only what carries the operator's label, and an object of another owner must not be overwritten.
 */
export async function applyOwn<T extends KubeObject>(
  ctx: VdbContext,
  resource: Resource<T>,
  wanted: Manifest<T>,
  cached: T | undefined,
  signal: AbortSignal,
): Promise<T | NotApplied> {
  const { run, vdb } = ctx;
  const present = cached ?? (await run.client.find(resource, wanted.metadata, signal));
  if (present !== undefined && !isControlledBy(present, vdb)) {
    const { kind } = resource;
    return terminal(
      "NameTaken",
      `a ${kind} ${wanted.metadata.name} exists and belongs to another owner: delete it, or give this PostgresVDB another name`,
      { backOff: true }, // without the operator's label no watch tells of it
    );
  }
  try {
    return await run.client.apply(resource, wanted, { fieldManager: operatorName, force: true }, signal);
  } catch (error) {
    if (!isApiError(error)) throw error;
    if (error.kind !== "invalid" && error.kind !== "forbidden" && !unknownField.test(error.message)) throw error;
    const refused = `the API server refuses ${resource.kind} ${wanted.metadata.name}: ${error.message}`;
    return error.kind === "forbidden"
      ? terminal("Forbidden", `${refused}; fix the quota, the admission webhook or the operator's rights that it names`, {
          backOff: true,
        })
      : terminal("Invalid", `${refused}; fix in this PostgresVDB what it names`, { backOff: true });
  }
}

/** In these words, and as an error of its own, the API server refuses a field that there is not, for example in an affinity. */
const unknownField = /failed to create typed patch object/u;

/** Tells an outcome from the object that was written. */
export const isOutcome = <O extends Outcome>(result: KubeObject | O): result is O => "kind" in result && !("metadata" in result);
