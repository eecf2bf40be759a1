import type { Lease } from "../kinds/cluster.ts";

/** What a Lease says. */
export interface LeaseRecord {
  /** Empty: given back. */
  readonly holder: string;
  readonly leaseSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly transitions: number;
}

export function recordOf({ spec }: Lease): LeaseRecord {
  return {
    holder: spec?.holderIdentity ?? "",
    leaseSeconds: spec?.leaseDurationSeconds ?? 0,
    acquireTime: spec?.acquireTime ?? "",
    renewTime: spec?.renewTime ?? "",
    transitions: spec?.leaseTransitions ?? 0,
  };
}

export function specOf({ holder, leaseSeconds, acquireTime, renewTime, transitions }: LeaseRecord): NonNullable<Lease["spec"]> {
  return {
    holderIdentity: holder,
    leaseDurationSeconds: Math.max(1, Math.ceil(leaseSeconds)),
    leaseTransitions: transitions,
    ...(acquireTime === "" ? {} : { acquireTime }),
    ...(renewTime === "" ? {} : { renewTime }),
  };
}

/** The record as a candidate saw it, and since when it saw just this. Times in the record are other machines', so they are not compared. */
export interface Sighting {
  readonly record: LeaseRecord;
  readonly sinceMs: number;
}

export function sight(before: Sighting | undefined, record: LeaseRecord, nowMs: number): Sighting {
  const same =
    before !== undefined &&
    before.record.holder === record.holder &&
    before.record.renewTime === record.renewTime &&
    before.record.transitions === record.transitions;
  return same ? before : { record, sinceMs: nowMs };
}

/** How long until the lease may be taken; 0: now. A holder that has not renewed within its own lease time is taken for gone. */
export function takeableInMs({ record, sinceMs }: Sighting, identity: string, nowMs: number): number {
  if (record.holder === "" || record.holder === identity) return 0;
  return Math.max(0, sinceMs + record.leaseSeconds * 1000 - nowMs);
}
