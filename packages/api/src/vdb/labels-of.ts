import { type MetadataKey, pvcAnnotations, safeLabelValue, vdbLabels } from "../labels.ts";

/** What is known of a VDB once its source is resolved: the values behind labels and annotations. */
export interface VdbIdentity {
  /** The source's name: dSource or VDB, claim, VolumeSnapshot. */
  readonly sourceRef: string;
  /** dct-source alone. */
  readonly sourceDBName?: string | undefined;
  readonly vdbGroupName?: string | undefined;
  readonly envName?: string | undefined;
  readonly engineName?: string | undefined;
}

type Values = { readonly [key: string]: string };

/** The labels of a PostgresVDB; what is not known has none. */
export function labelsOf(identity: VdbIdentity): Values {
  const { sourceDBName, sourceRef, vdbGroupName, envName, engineName } = identity;
  const known = knownValues([
    [vdbLabels.sourceDBName, sourceDBName],
    [vdbLabels.sourceRef, sourceRef],
    [vdbLabels.vdbGroupName, vdbGroupName],
    [vdbLabels.envName, envName],
    [vdbLabels.engineName, engineName],
  ]);
  return Object.fromEntries(known.map(([key, value]) => [key, safeLabelValue(value)]));
}

/** The annotations of the claim that the operator makes for a PostgresVDB; what is not known has none. */
export function annotationsOf(
  identity: VdbIdentity & { readonly mountPath: string; readonly uid: number; readonly gid: number },
): Values {
  const known = knownValues([
    [pvcAnnotations.vdbGroupName, identity.vdbGroupName],
    [pvcAnnotations.envName, identity.envName],
    [pvcAnnotations.engineName, identity.engineName],
    [pvcAnnotations.sourceDBName, identity.sourceDBName],
    [pvcAnnotations.vdbStageMountpath, identity.mountPath],
    [pvcAnnotations.ownershipSpec, `${identity.uid}:${identity.gid}`],
    [pvcAnnotations.created, "true"],
  ]);
  return Object.fromEntries(known);
}

/** What the annotations of a claim say of its VDB: `annotationsOf` read back. */
export function identityIn(annotations: Values): Omit<VdbIdentity, "sourceRef"> {
  const { sourceDBName, vdbGroupName, envName, engineName } = pvcAnnotations;
  return {
    sourceDBName: annotations[sourceDBName.key],
    vdbGroupName: annotations[vdbGroupName.key],
    envName: annotations[envName.key],
    engineName: annotations[engineName.key],
  };
}

function knownValues(values: readonly (readonly [MetadataKey, string | undefined])[]): [string, string][] {
  return values.flatMap(([{ key }, value]) => (value === undefined || value === "" ? [] : [[key, value]]));
}
