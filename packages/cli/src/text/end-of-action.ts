import { type ActionObject, durationMilliseconds, type SnapshotStatus } from "@vdb/api";
import { findCondition } from "kube-runtime";
import { targetOf } from "../cluster/actions.ts";
import { again } from "../cluster/session.ts";
import type { ConnectionFlags } from "../world.ts";

export interface EndText {
  readonly exitCode: number;
  readonly said: string;
  /** What it has brought, and what may be done next. */
  readonly advice: readonly string[];
}

/** Pure: how an action has ended, and what comes of it. */
export function endOf(action: ActionObject, flags: ConnectionFlags): EndText {
  const { kind, metadata, status } = action;
  const what = `${kind} ${metadata.namespace}/${metadata.name}`;
  if (status.phase === "Completed")
    return { exitCode: 0, said: `${what} has completed in ${status.duration ?? "no time"}`, advice: resultOf(action, flags) };
  const back = findCondition(status.conditions, "RolledBack");
  const why = status.lastError ?? findCondition(status.conditions, "Succeeded")?.message ?? "no reason is told";
  return { exitCode: 1, said: `${what} has failed: ${why}`, advice: back === undefined ? [] : [back.message] };
}

function resultOf(action: ActionObject, flags: ConnectionFlags): readonly string[] {
  const { name } = targetOf(action);
  const { spec, status } = action;
  const snapshot = "snapshot" in status ? status.snapshot : undefined;
  if ("previousRetention" in spec) {
    const undo = `to undo it within ${spec.previousRetention}: kubectl vdb undo ${name}${again(flags)}`;
    const mayUndo = durationMilliseconds(spec.previousRetention) > 0;
    return [...snapshotText("data of snapshot", snapshot), ...(mayUndo ? [undo] : [])];
  }
  return [...snapshotText("snapshot", snapshot), ...wayBack(name, snapshot, flags)];
}

function snapshotText(what: string, snapshot: SnapshotStatus | undefined): readonly string[] {
  const { type, name, timestamp } = snapshot ?? {};
  const of = timestamp === undefined ? "" : ` of ${timestamp}`;
  if (type === "previous") return [`the data${of} that was there before`];
  return name === undefined ? [] : [`${what} ${name}${of}`];
}

const flagOf = { "dct-snapshot": "--snapshot", "dct-bookmark": "--bookmark", "volume-snapshot": "--volume-snapshot" } as const;

function wayBack(database: string, snapshot: SnapshotStatus | undefined, flags: ConnectionFlags): readonly string[] {
  const { type, name } = snapshot ?? {};
  if (type === undefined || type === "previous" || name === undefined) return [];
  return [`to return to it: kubectl vdb rewind ${database} ${flagOf[type]} ${name}${again(flags)}`];
}
