import { isDeepStrictEqual } from "node:util";
import { isApiError } from "../client/api-error.ts";
import type { Client } from "../client/client.ts";
import { type ConditionValue, stampCondition } from "../objects/conditions.ts";
import type { Condition, Draft, ObjectWithStatus } from "../objects/object.ts";
import type { Resource } from "../objects/resource.ts";
import { type Clock, timestamp } from "../support/clock.ts";
import { asRecord } from "../support/json.ts";
import { mergeDiff } from "./merge-diff.ts";

/** The status of one run: a draft, and the one way in which it is written. */
export interface StatusDraft<T extends ObjectWithStatus> {
  readonly draft: Draft<NonNullable<T["status"]>>;
  /** The status as last written or read. */
  readonly stored: () => object;
  /** Whether the draft says anything else. */
  readonly differs: () => boolean;
  /** That of the object as last written or read. */
  readonly resourceVersion: () => string;
  /** Goes on from a change of the rest of the object that this run has made itself: it is no conflict. */
  readonly follow: (written: T) => void;
  /** Puts the conditions, the phase and the generation into the draft. */
  readonly stamp: (
    conditions: readonly (ConditionValue | Condition)[],
    phase: ((conditions: readonly Condition[]) => string) | undefined,
  ) => void;
  /**
   * Writes what differs from what is stored; nothing when nothing does. Refused with a conflict when somebody else changed
   * the status meanwhile; a change of the rest of the object does not hinder it.
   */
  readonly save: (signal: AbortSignal) => Promise<"written" | "unchanged">;
}

export function createStatusDraft<T extends ObjectWithStatus>(
  { client, resource, clock }: { readonly client: Client; readonly resource: Resource<T>; readonly clock: Clock },
  object: T,
): StatusDraft<T> {
  const stored = { status: object.status ?? {}, resourceVersion: object.metadata.resourceVersion };
  const draft = structuredClone(stored.status);
  const write = async (status: object, signal: AbortSignal): Promise<void> => {
    const written = await patchStatus(client, resource, object, { resourceVersion: stored.resourceVersion, status }, signal);
    stored.status = written.status ?? {};
    stored.resourceVersion = written.metadata.resourceVersion;
  };
  const follow = (live: T): boolean => {
    const sameStatus = live.metadata.uid === object.metadata.uid && isDeepStrictEqual(live.status ?? {}, stored.status);
    if (sameStatus) stored.resourceVersion = live.metadata.resourceVersion;
    return sameStatus;
  };
  const difference = (): object | undefined => mergeDiff(asRecord(stored.status), asRecord(draft));
  return {
    draft: writable<T>(draft),
    stored: () => stored.status,
    differs: () => difference() !== undefined,
    resourceVersion: () => stored.resourceVersion,
    follow,
    stamp: (conditions, phase) => {
      const { generation } = object.metadata;
      const at = {
        time: timestamp(clock.now()),
        ...(generation === undefined ? {} : { observedGeneration: generation }),
      };
      const before = stored.status.conditions ?? [];
      const all = conditions.map((value) =>
        "lastTransitionTime" in value
          ? value
          : stampCondition(
              before.find(({ type }) => type === value.type),
              value,
              at,
            ),
      );
      Object.assign(draft, { conditions: all }, generation === undefined ? {} : { observedGeneration: generation });
      if (phase !== undefined) Object.assign(draft, { phase: phase(all) });
    },
    save: async (signal) => {
      const patch = difference();
      if (patch === undefined) return "unchanged";
      try {
        await write(patch, signal);
      } catch (error) {
        if (!isApiError(error, "conflict")) throw error;
        // When only the spec or metadata moved, what we found out still holds for its generation.
        if (!follow(await client.get(resource, object.metadata, signal))) throw error;
        await write(patch, signal);
      }
      return "written";
    },
  };
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says whose status it copied
function writable<T extends ObjectWithStatus>(draft: object): Draft<NonNullable<T["status"]>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a copy that belongs to this run alone
  return draft as Draft<NonNullable<T["status"]>>;
}

function patchStatus<T extends ObjectWithStatus>(
  client: Client,
  resource: Resource<T>,
  object: T,
  { resourceVersion, status }: { readonly resourceVersion: string; readonly status: object },
  signal: AbortSignal,
): Promise<T> {
  const { namespace, name } = object.metadata;
  const key = namespace === undefined ? { name } : { namespace, name };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a difference of two statuses of this kind
  const patch = { metadata: { resourceVersion }, status } as Parameters<typeof client.patchStatus<T>>[2];
  return client.patchStatus(resource, key, patch, signal);
}
