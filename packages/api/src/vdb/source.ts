import { dnsLabel, dnsLabelWords, labelLength } from "../fields/names.ts";
import { schema, type TypeOf } from "../schema.ts";

export const sourceTypes = ["dct-source", "pvc-clone", "k8s-snapshot", "pvc-adopt"] as const;
export type SourceType = (typeof sourceTypes)[number];

const name = "[a-z0-9]([-a-z0-9.]*[a-z0-9])?";

export const source = schema({
  type: "object",
  description:
    "Where the data comes from. You can correct it until the data exists; from then on it is immutable. For newer data use PostgresRefresh or VDBRefresh; for another source create a new PostgresVDB.",
  required: ["type", "reference"],
  properties: {
    type: {
      type: "string",
      description:
        "Where the bytes come from. dct-source: a dSource or VDB known to DCT. pvc-clone: a copy of a PersistentVolumeClaim. " +
        "k8s-snapshot: a VolumeSnapshot. pvc-adopt: an existing PersistentVolumeClaim itself.",
      enum: sourceTypes,
    },
    reference: {
      type: "string",
      description:
        "The name of the source. dct-source: engine:name, split at the first colon. pvc-clone: a claim's name, or namespace/name. " +
        "k8s-snapshot: a VolumeSnapshot's name. pvc-adopt: a claim's name.",
      maxLength: 317,
      minLength: 1,
      allowed: "the name of the source",
      example: "delphix-engine:production",
    },
    namespace: {
      type: "string",
      description:
        "The namespace of the claim or VolumeSnapshot. Left out: the PostgresVDB's own. Another namespace has to allow it with a ReferenceGrant. dct-source and pvc-adopt allow only the PostgresVDB's own.",
      maxLength: labelLength,
      pattern: dnsLabel,
      allowed: dnsLabelWords,
      example: "staging",
    },
  },
  rules: [
    {
      rule: "self.type != 'dct-source' || self.reference.matches('^[^:[:cntrl:]]+:[^[:cntrl:]]+$')",
      fieldPath: ".reference",
      message: 'for type dct-source it must be "engine:name", for example "delphix-engine:production"',
    },
    {
      rule: `self.type != 'pvc-clone' || self.reference.matches('^(${dnsLabel.slice(1, -1)}/)?${name}$')`,
      fieldPath: ".reference",
      message: 'for type pvc-clone it must be a claim\'s name or "namespace/name", for example "staging/orders-data"',
    },
    {
      rule: `self.type != 'k8s-snapshot' || self.reference.matches('^${name}$')`,
      fieldPath: ".reference",
      message:
        'for type k8s-snapshot it must be a VolumeSnapshot\'s name, for example "orders-monday"; put its namespace into source.namespace',
    },
    {
      rule: `self.type != 'pvc-adopt' || self.reference.matches('^${name}$')`,
      fieldPath: ".reference",
      message: 'for type pvc-adopt it must be the name of a claim in the PostgresVDB\'s own namespace, for example "orders-data"',
    },
    {
      rule: "!has(self.__namespace__) || self.type == 'dct-source' || !self.reference.contains('/') || self.reference.startsWith(self.__namespace__ + '/')",
      fieldPath: ".namespace",
      message: 'contradicts the namespace in source.reference: give it once, for example reference: "staging/orders-data" alone',
    },
  ],
});
export type VdbSource = TypeOf<typeof source>;

/** A source's reference taken apart, with the namespace it means. */
export type SourceReference =
  | { readonly type: "dct-source"; readonly engine: string; readonly name: string }
  | { readonly type: "pvc-clone" | "k8s-snapshot" | "pvc-adopt"; readonly namespace: string; readonly name: string };

/** Whether a namespace stands beside a source that has none of its own, or can be in the database's own alone. */
export const hasNeedlessNamespace = ({ type, namespace }: VdbSource): boolean =>
  namespace !== undefined && (type === "dct-source" || type === "pvc-adopt");

/** Reads `spec.source` as documented: engine:name at the first colon, namespace/name at the slash, else the VDB's own namespace. */
export function sourceReference({ type, reference, namespace }: VdbSource, ownNamespace: string): SourceReference {
  if (type === "dct-source") {
    const colon = reference.indexOf(":");
    return { type, engine: reference.slice(0, colon), name: reference.slice(colon + 1) };
  }
  const slash = reference.indexOf("/");
  const named = slash === -1 ? namespace : reference.slice(0, slash);
  return { type, namespace: named ?? ownNamespace, name: reference.slice(slash + 1) };
}
