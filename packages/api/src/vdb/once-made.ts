import type { Rule } from "../schema.ts";
import { defaultOwnership } from "./spec.ts";

/**
 * Rules for what is read when the volume is made. Until the operator has written down the volume's id a mistake can be
 * corrected, and the claim is made anew; afterwards a change would be accepted in silence and do nothing, or harm.
 */
const noDataYet = "oldSelf.?status.?delphixID.orValue('') == ''";

const once = (field: string, same: string, message: string): Rule => ({
  rule: `${noDataYet} || ${same}`,
  fieldPath: `.spec.${field}`,
  message,
});

/** Spelt out: the API server's estimate of what comparing two optional values costs is beyond its budget. */
const sameField = (field: string): string => {
  const [now, before] = [`self.spec.${field}`, `oldSelf.spec.${field}`];
  return `(has(${now}) ? has(${before}) && ${now} == ${before} : !has(${before}))`;
};

const owner = (spec: string): string =>
  `(has(${spec}.ownershipSpec) ? ${spec}.ownershipSpec : has(${spec}.OwnershipSpec) ? ${spec}.OwnershipSpec : '${defaultOwnership}')`;

/** A driver may have left the data to another user than was asked for: then only the manifest can follow. */
const notTheOwner =
  "has(oldSelf.status.conditions) && oldSelf.status.conditions.exists(c, c.type == 'Deployed' && c.reason == 'OwnerMismatch')";

const asItWas = "is read only when the volume is created: keep the former value, or apply a new PostgresVDB";

export const onceMade: readonly Rule[] = [
  once(
    "source",
    "self.spec.source == oldSelf.spec.source",
    "is immutable once the data exists: for newer data apply a PostgresRefresh (spec.vdbRef.name: this VDB); for another source apply a new PostgresVDB",
  ),
  ...["vdbGroupName", "envName", "storageClassName", "storageSize", "accessModes"].map((field) =>
    once(field, sameField(field), asItWas),
  ),
  once(
    "ownershipSpec",
    `${owner("self.spec")} == ${owner("oldSelf.spec")} || ${notTheOwner}`,
    "is read only when the volume is created, and the data keeps its owner: keep the former value, or apply a new PostgresVDB",
  ),
];
