import { pvcAnnotations, safeLabelValue, vdbLabels } from "../labels.ts";

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

/** The labels of a PostgresVDB; what is not known has none. */
export function labelsOf(identity: VdbIdentity): { readonly [key: string]: string } {
  const { sourceDBName, sourceRef, vdbGroupName, envName, engineName } = identity;
  const values = { sourceDBName, sourceRef, vdbGroupName, envName, engineName };
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      value === undefined || value === "" ? [] : [[vdbLabels[name as keyof typeof values].key, safeLabelValue(value)]],
    ),
  );
}

/** The annotations of the claim that the operator makes for a PostgresVDB; what is not known has none. */
export function annotationsOf(
  identity: VdbIdentity & { readonly mountPath: string; readonly uid: number; readonly gid: number },
): { readonly [key: string]: string } {
  const { sourceDBName, vdbGroupName, envName, engineName, mountPath, uid, gid } = identity;
  const values = {
    vdbGroupName,
    envName,
    engineName,
    sourceDBName,
    vdbStageMountpath: mountPath,
    ownershipSpec: `${uid}:${gid}`,
    created: "true",
  };
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      value === undefined || value === "" ? [] : [[pvcAnnotations[name as keyof typeof values].key, value]],
    ),
  );
}
