import { isSwitchedOn } from "@vdb/api";
import { waiting } from "kube-runtime";
import { modeOf } from "../vdb/decide/decide-mode.ts";
import type { Needs } from "./admit.ts";
import { nameOfTarget, podsOf, vdbOf } from "./context.ts";
import { answeringPod, isOpen } from "./database.ts";
import { settled } from "./hold.ts";

/**
 * An open gate and a server that answers. Before its hooks have succeeded nobody may see a database's data, and a task's output
 * would be a way around them.
 */
export const openAndAnswering: Needs = (ctx) => {
  const vdb = vdbOf(ctx);
  if (vdb === undefined) return waiting("VdbNotFound", `${nameOfTarget(ctx)} does not exist`);
  if (!isOpen(vdb)) return waiting("VdbNotReady", `${nameOfTarget(ctx)} has not let clients in yet; see its conditions`);
  const pod = answeringPod(ctx, vdb);
  if (pod !== undefined && modeOf(pod.metadata) !== vdb.spec.mode)
    return waiting("VdbNotReady", `${nameOfTarget(ctx)} is on its way to mode ${vdb.spec.mode}`);
  if (pod !== undefined) return undefined;
  const why = isSwitchedOn(vdb)
    ? "its server does not answer; see its conditions"
    : `it is stopped (${vdb.spec.enabled ? "it has expired" : "spec.enabled is false"})`;
  return waiting("VdbNotReady", `${nameOfTarget(ctx)} cannot run it: ${why}`);
};

/** The same, or a database that was open and is stopped as declared: its snapshot is a cold one. */
export const openOrStopped: Needs = (ctx) => {
  const vdb = vdbOf(ctx);
  if (vdb === undefined || isSwitchedOn(vdb) || !isOpen(vdb)) return openAndAnswering(ctx);
  if (podsOf(ctx, vdb).length === 0) return undefined;
  return waiting("VdbNotReady", `${nameOfTarget(ctx)} is shutting down`);
};

/** A volume with data: what runs on it now does not matter, for other data comes. While it is made it is waited for. */
export const hasData: Needs = (ctx) => {
  const vdb = vdbOf(ctx);
  if (vdb === undefined) return waiting("VdbNotFound", `${nameOfTarget(ctx)} does not exist`);
  const { content, delphixID = "" } = vdb.status;
  if (content === undefined || delphixID === "")
    return waiting("VdbNotReady", `${nameOfTarget(ctx)} has no data yet; see its conditions`);
  if (content.openedTime !== undefined || settled(vdb) === "stalled") return undefined;
  return waiting("VdbNotReady", `${nameOfTarget(ctx)} comes up`);
};
