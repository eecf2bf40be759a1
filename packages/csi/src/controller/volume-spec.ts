import { isAbsolute } from "node:path";
import { status } from "@grpc/grpc-js";
import { pvcAnnotations } from "@vdb/api";
import { RpcError } from "../grpc/rpc-error.ts";

/** What a claim wants, in the names that people write. */
export interface VolumeSpec {
  readonly engine: string;
  readonly source: string;
  readonly group: string;
  /** Left out: the engine's only environment. */
  readonly environment?: string;
  /** Left out: the environment's only repository. */
  readonly repository?: string;
  readonly mountPath: string;
  readonly ownership: string;
}

/** For each annotation the value that holds where a claim does not carry it; the driver's own flags set them. */
export interface SpecDefaults {
  readonly engineName?: string;
  readonly sourceDBName?: string;
  readonly vdbGroupName: string;
  readonly envName?: string;
  readonly vdbRepositoryName?: string;
  readonly vdbStageMountpath: string;
  readonly ownershipSpec: string;
}

/**
 * A claim's annotations over the cluster-wide defaults. Mistakes are FAILED_PRECONDITION, not INVALID_ARGUMENT: the claim can
 * be annotated anew, and the provisioner tries again at once when it is.
 */
export function volumeSpecOf(annotations: Readonly<Record<string, string>>, defaults: SpecDefaults): VolumeSpec {
  const value = (name: keyof SpecDefaults): string | undefined => valueOf(name, annotations, defaults);
  const required = (name: keyof SpecDefaults): string => {
    const found = value(name);
    const { key, meaning } = pvcAnnotations[name];
    if (found === undefined || found === "") throw wrong(`annotation ${key} is missing: it names ${meaning}`);
    return found;
  };
  const [environment, repository] = [value("envName"), value("vdbRepositoryName")];
  return {
    engine: engineOf(required("engineName")),
    source: required("sourceDBName"),
    group: required("vdbGroupName"),
    ...(environment === undefined ? {} : { environment }),
    ...(repository === undefined ? {} : { repository }),
    mountPath: mountPathOf(required("vdbStageMountpath")),
    ownership: ownershipOf(required("ownershipSpec")),
  };
}

/** `engine:source`, the way people and DCT name a source together with its engine. */
export const sourceReference = ({ engine, source }: Pick<VolumeSpec, "engine" | "source">): string => `${engine}:${source}`;

/** The source that a claim names now, without judging the rest of its annotations. */
export function sourceReferenceIn(annotations: Readonly<Record<string, string>>, defaults: SpecDefaults): string | undefined {
  const [engine, source] = [valueOf("engineName", annotations, defaults), valueOf("sourceDBName", annotations, defaults)];
  return engine === undefined || source === undefined ? undefined : sourceReference({ engine, source });
}

function valueOf(
  name: keyof SpecDefaults,
  annotations: Readonly<Record<string, string>>,
  defaults: SpecDefaults,
): string | undefined {
  const written = annotations[pvcAnnotations[name].key]?.trim();
  return written === undefined || written === "" ? defaults[name] : written;
}

const wrong = (message: string): RpcError => new RpcError(status.FAILED_PRECONDITION, `the claim's ${message}`);

function engineOf(name: string): string {
  if (name.includes(":")) throw wrong(`annotation engineName ${JSON.stringify(name)} contains a colon: no engine's name has one`);
  return name;
}

function mountPathOf(path: string): string {
  if (!isAbsolute(path)) throw wrong(`annotation vdbStageMountpath ${JSON.stringify(path)} is not an absolute path`);
  return path;
}

function ownershipOf(text: string): string {
  if (!/^\d{1,10}:\d{1,10}$/u.test(text))
    throw wrong(`annotation ownershipSpec ${JSON.stringify(text)} does not have the form uid:gid`);
  return text;
}
