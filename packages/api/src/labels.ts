import { createHash } from "node:crypto";

/** One label or annotation of the specification: its key, what it means, where its value comes from. */
export interface MetadataKey {
  readonly key: string;
  readonly meaning: string;
  readonly from: string;
}

/** The labels that the operator puts on a PostgresVDB, so that `kubectl get postgresvdb -A -l ...` finds it. */
export const vdbLabels = {
  sourceDBName: {
    key: "sourceDBName",
    meaning: "the dSource or VDB that the data comes from",
    from: "dct-source: the part of spec.source.reference after the first colon; other sources have no such label",
  },
  sourceRef: {
    key: "sourceRef",
    meaning: "the name of the source, whatever its type",
    from: "the source's name: the claim, the VolumeSnapshot, or as sourceDBName; without engine or namespace",
  },
  vdbGroupName: {
    key: "vdbGroupName",
    meaning: "the DCT dataset group of the VDB",
    from: "spec.vdbGroupName, else the configured default; pvc-clone and pvc-adopt: the claim's annotation",
  },
  envName: {
    key: "envName",
    meaning: "the DCT environment of the VDB",
    from: "spec.envName, else the configured default or the only one; pvc-clone and pvc-adopt: the claim's annotation",
  },
  engineName: {
    key: "engineName",
    meaning: "the engine that holds the VDB",
    from: "dct-source: the part of spec.source.reference before the first colon; pvc-clone and pvc-adopt: the claim's annotation",
  },
} as const satisfies Readonly<Record<string, MetadataKey>>;

/** The annotations of a claim: what the operator writes and the CSI driver reads. Values are plain text, not made safe. */
export const pvcAnnotations = {
  vdbGroupName: {
    key: "vdbGroupName",
    meaning: "the DCT dataset group of the VDB",
    from: vdbLabels.vdbGroupName.from,
  },
  envName: { key: "envName", meaning: "the DCT environment of the VDB", from: vdbLabels.envName.from },
  engineName: { key: "engineName", meaning: "the engine that holds the source", from: vdbLabels.engineName.from },
  sourceDBName: { key: "sourceDBName", meaning: "the dSource or VDB to provision from", from: vdbLabels.sourceDBName.from },
  vdbStageMountpath: { key: "vdbStageMountpath", meaning: "where the pod mounts the volume", from: "spec.mountPath" },
  ownershipSpec: { key: "ownershipSpec", meaning: "the uid:gid that own the data", from: "spec.ownershipSpec" },
  vdbRepositoryName: {
    key: "vdbRepositoryName",
    meaning: "the repository on the environment",
    from: "the driver's default; set it only on a claim of your own",
  },
  created: { key: "delphix.com/created", meaning: '"true" on each claim that the operator creates', from: 'always "true"' },
} as const satisfies Readonly<Record<string, MetadataKey>>;

const maxLength = 63;
const hashLength = 8;
const legal = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/u;

/**
 * Makes any text a label's value. Guarantees: a legal value is kept as it is; otherwise its legal characters, `-` and the first
 * 8 hex digits of its SHA-256, at most 63 characters; the same text gives the same value for ever, since users query by it.
 */
export function safeLabelValue(text: string): string {
  if (legal.test(text)) return text;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, hashLength);
  const kept = text.replace(/[^-A-Za-z0-9_.]/gu, "").replace(/^[-_.]+/u, "");
  return kept === "" ? hash : `${kept.slice(0, maxLength - hashLength - 1)}-${hash}`;
}
