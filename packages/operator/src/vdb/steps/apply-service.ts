import { type Service, services } from "kube-runtime";
import type { VdbContext } from "../context.ts";
import { holds } from "../decide/holds.ts";
import type { Gate } from "../objects/config-map.ts";
import { desiredService, selectsNothing } from "../objects/service.ts";
import { withHash } from "../objects/spec-hash.ts";
import { applyOwn, isOutcome, type NotApplied } from "./apply-own.ts";

/** Writes the Service, if it is not so already. Undefined: it is as wanted. With a shut gate it leads nowhere. */
export async function applyService(ctx: VdbContext, gate: Gate, signal: AbortSignal): Promise<NotApplied | undefined> {
  const { vdb, contentId, service, wasOpened, podMode = vdb.spec.mode } = ctx;
  const isUnopened = gate === "shut" && !wasOpened && (service === undefined || selectsNothing(service));
  const wanted = withHash<Service>(desiredService(vdb, contentId, isUnopened ? "unopened" : gate, podMode));
  const asWanted = service !== undefined && holds(service, wanted) && sameSize(service.spec.selector, wanted.spec.selector);
  if (asWanted) return undefined;
  const written = await applyOwn(ctx, services, wanted, service, signal);
  return isOutcome(written) ? written : undefined;
}

/** Nothing more either: with one label too many it selects no pod. */
const sameSize = (one: object = {}, other: object = {}): boolean => Object.keys(one).length === Object.keys(other).length;
