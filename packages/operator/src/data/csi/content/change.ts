import type { SourceVolume } from "../../source.ts";

/**
 * New data for a database, as the journal keeps it.
 * - copy: on a claim of its own, made for it.
 * - return: to a claim that is there.
 * `taken`: whether the state is known to have been taken with the gate open.
 */
export type Change =
  | {
      readonly kind: "copy";
      readonly claim: string;
      readonly from: SourceVolume;
      readonly sizeBytes: number;
      readonly verb: "refresh" | "rewind";
      readonly taken: Taken;
    }
  | { readonly kind: "return"; readonly claim: string; readonly taken: Taken };
type Taken = "open" | "unknown";

const none = "none";

export function changeText(change: Change): string {
  if (change.kind === "return") return `return to ${change.claim} taken ${change.taken}`;
  const { claim, from, sizeBytes, verb, taken } = change;
  const { kind, namespace, name, storageClassName, snapshotClassName = none, crashConsistent } = from;
  const files = crashConsistent ? "in-use" : "at-rest";
  return `${verb} to ${claim} taken ${taken} from ${kind} ${namespace}/${name} files ${files} class ${storageClassName} through ${snapshotClassName} size ${sizeBytes}`;
}

export function changeIn(text: string): Change {
  const [verb = "", , claim = "", , takenWord = "", , kind = "", path = "", , files = "", , storageClassName = "", ...rest] =
    text.split(" ");
  const [, snapshotClassName = none, , size = "0"] = rest;
  const taken = takenWord === "open" ? "open" : "unknown";
  if (verb === "return") return { kind: verb, claim, taken };
  if ((verb !== "refresh" && verb !== "rewind") || (kind !== "PersistentVolumeClaim" && kind !== "VolumeSnapshot"))
    throw new TypeError(`no change: ${text}`);
  const [namespace = "", name = ""] = path.split("/");
  const from: SourceVolume = {
    kind,
    namespace,
    name,
    storageClassName,
    crashConsistent: files === "in-use",
    ...(snapshotClassName === none ? {} : { snapshotClassName }),
  };
  return { kind: "copy", claim, from, sizeBytes: Number(size), verb, taken };
}
