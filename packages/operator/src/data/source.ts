import type { PostgresVDB, VdbIdentity, VdbReason } from "@vdb/api";
import type { Client, ObjectReferenceInNamespace, PersistentVolumeClaim, Unmet } from "kube-runtime";
import type { ContentStore } from "./content-store.ts";

/**
 * Where the bytes of a database come from, and what has to be done to them in the course of its life. The steps of a
 * PostgresVDB act through this alone.
 *
 * Guarantees of every implementation: each call may be repeated at any point, a crash included. An outage is thrown, and
 * `DataSources.explain` makes an outcome of it; `facts` and `gone`, on which nothing depends, return it as a value instead.
 */
export interface DataSource {
  /** Finds what `spec.source` names, and the newest data that it has. Changes nothing. `client`: that of the run. */
  readonly resolve: (client: Client, vdb: PostgresVDB, signal: AbortSignal) => Promise<Resolution>;
  /** Pure: what the claim has to say, so that its volume comes with the data. */
  readonly claimFor: (vdb: PostgresVDB, source: ResolvedSource) => ClaimPlan;
  /** Makes what the claim is copied from, a snapshot for instance. To be called until it is ready; the claim comes next. */
  readonly stage: (client: Client, vdb: PostgresVDB, plan: Making, signal: AbortSignal) => Promise<Staged>;
  /**
   * Deletes what `stage` has made, and nothing else; `status.source` says where it is. The volume does not need it any more, or
   * there will be none.
   */
  readonly unstage: (client: Client, vdb: PostgresVDB, signal: AbortSignal) => Promise<void>;
  /** Where the claim is not the operator's own: the claim of the present data; undefined: it is gone. */
  readonly adopted?: (client: Client, vdb: PostgresVDB, signal: AbortSignal) => Promise<PersistentVolumeClaim | undefined>;
  /** What the volume was made from in the end; undefined when that is not recorded. */
  readonly facts: (handle: string, signal: AbortSignal) => Promise<Told<Facts | undefined>>;
  /**
   * Makes the data ready before a pod uses it (`wanted` true), or puts it to rest when none does any more. To be called until
   * it is as wanted. `client`: that of the run, so that its calls are fenced.
   */
  readonly setAttached: (client: Client, volume: VolumeId, wanted: boolean, signal: AbortSignal) => Promise<Attachment>;
  /** Whether anything is left of a volume of which Kubernetes has nothing any more. `name`: that of its PersistentVolume. */
  readonly gone: (name: string, signal: AbortSignal) => Promise<Gone>;
  /** How the data is snapshotted, replaced, given back and discarded: what actions act through. */
  readonly content: ContentStore;
}

/** The implementations, and which of them it is. */
export interface DataSources {
  /** The one that `spec.source` names; undefined where this version has none for its type. */
  readonly named: (vdb: PostgresVDB) => DataSource | undefined;
  /** The one that the present data comes from, even if the manifest has changed since. Before there is data: the named one. */
  readonly holding: (vdb: PostgresVDB) => DataSource | undefined;
  /** The outcome for an error that one of them threw; undefined for any other error. */
  readonly explain: (error: unknown) => Unmet | undefined;
}

/** A source that was found: enough to make a volume from it and to record what it was made from. */
export interface ResolvedSource {
  readonly identity: VdbIdentity;
  /** The bytes that a reader of it sees. */
  readonly sizeBytes: number | undefined;
  /** `16.2` or `16`. */
  readonly postgresVersion: string | undefined;
  /** The moment whose data the newest snapshot holds. */
  readonly dataTimestamp: string | undefined;
  readonly id: string | undefined;
  readonly snapshotId: string | undefined;
  readonly snapshotName: string | undefined;
  /** Of a source that is an object of Kubernetes. */
  readonly volume?: SourceVolume;
  /** The claim that is to be used itself. */
  readonly adopts?: string;
}

/** A claim or a VolumeSnapshot, to be copied by its driver. */
export interface SourceVolume {
  readonly kind: "PersistentVolumeClaim" | "VolumeSnapshot";
  readonly namespace: string;
  readonly name: string;
  /** The class of the copy. */
  readonly storageClassName: string;
  /** Of a claim: the class of the snapshot that it is copied through. Undefined: its driver takes none. */
  readonly snapshotClassName?: string;
  /** The copy comes of files in use: its server recovers as after a crash. */
  readonly crashConsistent: boolean;
}

/** Found, or why not: the message is for people and names the choices there are. `passes`: it may be found soon, without anybody's help. */
export type Resolution =
  | { readonly ok: true; readonly source: ResolvedSource }
  | {
      readonly ok: false;
      readonly reason: VdbReason<"SourceResolved">;
      readonly message: string;
      readonly passes?: boolean;
    };

/**
 * How the data's claim comes about.
 * - make: a new claim with these labels and annotations, by which its driver provisions. `sizeBytes`: what it asks for unless the
 *   manifest says otherwise; undefined where that does not matter. `from`: what it is a copy of, where not the annotations say so.
 * - adopt: a claim that is there and stays its owner's.
 */
export type ClaimPlan = Making | { readonly kind: "adopt"; readonly claimName: string };
export interface Making {
  readonly kind: "make";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly sizeBytes: number | undefined;
  readonly from?: SourceVolume;
}

/**
 * - ready: the claim can be made; `dataSource` is what it names as its source, `dataTimestamp` the moment that has the data.
 * - underWay: look again soon.
 * - failed: the storage or the cluster refuses.
 */
export type Staged =
  | { readonly kind: "ready"; readonly dataSource: ObjectReferenceInNamespace | undefined; readonly dataTimestamp?: string }
  | { readonly kind: "underWay" | "failed"; readonly message: string };

/** The point in time that a database's data is from. */
export interface Facts {
  readonly dataTimestamp: string;
  /** Undefined when that snapshot does not exist any more. */
  readonly snapshot: { readonly id: string; readonly name?: string | undefined } | undefined;
}

/** An answer, or why there is none, for people. */
export type Told<T> = { readonly kind: "told"; readonly value: T } | { readonly kind: "untold"; readonly message: string };

/** A volume as Kubernetes names it and as its driver does. */
export interface VolumeId {
  /** Of its PersistentVolume. */
  readonly name: string;
  /** Empty as long as there is none. */
  readonly handle: string;
}

/**
 * - asWanted: nothing more to do.
 * - underWay: look again soon.
 * - refused: the storage refuses.
 */
export type Attachment =
  | { readonly kind: "asWanted" }
  | { readonly kind: "underWay"; readonly message: string }
  | { readonly kind: "refused"; readonly reason: VdbReason<"Deployed">; readonly message: string };

/**
 * - gone: nothing is left.
 * - remains: its deletion is still to come.
 * - unknown: the storage does not answer.
 */
export type Gone = { readonly kind: "gone" } | { readonly kind: "remains" | "unknown"; readonly message: string };

/**
 * - gone: nothing is left of it.
 * - underWay: look again soon.
 * - kept: the storage refuses, or does not answer.
 */
export type Discard =
  | { readonly kind: "gone" }
  | { readonly kind: "underWay" }
  | { readonly kind: "kept"; readonly message: string };
