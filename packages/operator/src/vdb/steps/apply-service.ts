import { services } from "kube-runtime";
import type { VdbContext } from "../context.ts";
import type { Gate } from "../objects/config-map.ts";
import { desiredService } from "../objects/service.ts";
import { applyOwn, isOutcome, type NotApplied } from "./apply-own.ts";

/** Writes the Service, if it is not so already. Undefined: it is as wanted. With a shut gate it leads nowhere. */
export async function applyService(ctx: VdbContext, gate: Gate, signal: AbortSignal): Promise<NotApplied | undefined> {
  const { vdb, contentId, service } = ctx;
  const wanted = desiredService(vdb, contentId, gate);
  const holds =
    service !== undefined &&
    sameSelector(service.spec.selector, wanted.spec.selector) &&
    service.spec.ports?.[0]?.port === vdb.spec.port;
  if (holds) return undefined;
  const written = await applyOwn(ctx, services, wanted, service, signal);
  return isOutcome(written) ? written : undefined;
}

/** Nothing more and nothing less: with one label too many it selects no pod. */
function sameSelector(one: Readonly<Record<string, string>> = {}, other: Readonly<Record<string, string>> = {}): boolean {
  return (
    Object.keys(one).length === Object.keys(other).length && Object.entries(one).every(([key, value]) => other[key] === value)
  );
}
