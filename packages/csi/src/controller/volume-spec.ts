import { isAbsolute } from "node:path";
import { status } from "@grpc/grpc-js";
import { pvcAnnotations } from "@vdb/api";
import { RpcError } from "../grpc/rpc-error.ts";

/** What data a claim wants, in the names that people write. */
export interface SourceSpec {
  readonly engine: string;
  readonly source: string;
}

/** Where and how a claim wants it. */
export interface PlaceSpec {
  readonly group: string;
  /** Left out: the engine's only environment. */
  readonly environment?: string;
  /** Left out: the environment's only repository. */
  readonly repository?: string;
  readonly mountPath: string;
  readonly ownership: string;
}

export type VolumeSpec = SourceSpec & PlaceSpec;

/** For each annotation the value that holds where a claim does not carry it; see read-defaults.ts. */
export interface SpecDefaults {
  readonly engineName?: string;
  readonly sourceDBName?: string;
  readonly vdbGroupName: string;
  readonly envName?: string;
  readonly vdbRepositoryName?: string;
  readonly vdbStageMountpath: string;
  readonly ownershipSpec: string;
}

export const defaultNames = [
  "engineName",
  "sourceDBName",
  "vdbGroupName",
  "envName",
  "vdbRepositoryName",
  "vdbStageMountpath",
  "ownershipSpec",
] as const satisfies readonly (keyof SpecDefaults)[];

type Annotations = Readonly<Record<string, string>>;

/**
 * A claim's annotations over the cluster-wide defaults. Mistakes are FAILED_PRECONDITION, not INVALID_ARGUMENT: the claim can
 * be annotated anew, and the provisioner tries again at once when it is.
 */
export const volumeSpecOf = (annotations: Annotations, defaults: SpecDefaults): VolumeSpec => ({
  engine: engineOf(required("engineName", annotations, defaults)),
  source: required("sourceDBName", annotations, defaults),
  ...placeSpecOf(annotations, defaults),
});

/** Of a claim whose data is named elsewhere; mistakes as above. */
export function placeSpecOf(annotations: Annotations, defaults: SpecDefaults): PlaceSpec {
  const environment = valueOf("envName", annotations, defaults);
  const repository = valueOf("vdbRepositoryName", annotations, defaults);
  return {
    group: required("vdbGroupName", annotations, defaults),
    ...(environment === undefined ? {} : { environment }),
    ...(repository === undefined ? {} : { repository }),
    mountPath: mountPathOf(required("vdbStageMountpath", annotations, defaults)),
    ownership: ownershipOf(required("ownershipSpec", annotations, defaults)),
  };
}

function required(name: keyof SpecDefaults, annotations: Annotations, defaults: SpecDefaults): string {
  const found = valueOf(name, annotations, defaults);
  const { key, meaning } = pvcAnnotations[name];
  if (found === undefined || found === "")
    throw wrong(
      `annotation ${key} is missing: it names ${meaning}; add it to metadata.annotations, or give the claim a dataSource`,
    );
  return found;
}

/** `engine:source`, the way people and DCT name a source together with its engine. */
export const sourceReference = ({ engine, source }: SourceSpec): string => `${engine}:${source}`;

/** The source that a claim names now, without judging the rest of its annotations. */
export function sourceReferenceIn(annotations: Annotations, defaults: SpecDefaults): string | undefined {
  const [engine, source] = [valueOf("engineName", annotations, defaults), valueOf("sourceDBName", annotations, defaults)];
  return engine === undefined || source === undefined ? undefined : sourceReference({ engine, source });
}

function valueOf(name: keyof SpecDefaults, annotations: Annotations, defaults: SpecDefaults): string | undefined {
  const written = annotations[pvcAnnotations[name].key]?.trim();
  return written === undefined || written === "" ? defaults[name] : written;
}

const wrong = (message: string): RpcError => new RpcError(status.FAILED_PRECONDITION, `the claim's ${message}`);

function engineOf(name: string): string {
  if (name.includes(":")) throw wrong(`annotation engineName ${JSON.stringify(name)} contains a colon: no engine's name has one`);
  return name;
}

function mountPathOf(path: string): string {
  if (!isAbsolute(path))
    throw wrong(`annotation vdbStageMountpath ${JSON.stringify(path)} is not an absolute path, for example /mnt/postgres`);
  return path;
}

function ownershipOf(text: string): string {
  if (!/^\d{1,10}:\d{1,10}$/u.test(text))
    throw wrong(`annotation ownershipSpec ${JSON.stringify(text)} does not have the form uid:gid, for example 999:999`);
  return text;
}
