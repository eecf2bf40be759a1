import { createHash } from "node:crypto";

/** What a container of the image starts with, named as the image specification names it. */
export type ContainerConfig = {
  readonly User?: string;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly StopSignal?: string;
  readonly Labels?: Readonly<Record<string, string>>;
};

/** One uncompressed layer: its file in the cache and the SHA-256 of its bytes, in hex. */
export type BuiltLayer = { readonly file: string; readonly digest: string };

export type Archive = {
  /** 12 hex digits, different whenever a byte of the image is. */
  readonly id: string;
  /** `repository:tag`; our own images are tagged by their id. */
  readonly reference: string;
  /** The files of the archive beside its layers, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Layers by the name they have in the archive. */
  readonly layers: Readonly<Record<string, string>>;
};

/** The files of a docker archive, the form that `ctr images import`, `docker load`, `kind load` and skopeo all read. */
export function imageArchive(
  repository: string,
  tag: string | undefined,
  config: ContainerConfig,
  layers: readonly BuiltLayer[],
): Archive {
  const diffIds = layers.map(({ digest }) => `sha256:${digest}`);
  // No time of building: the same content has to be the same image.
  const image = JSON.stringify({ architecture: "amd64", os: "linux", config, rootfs: { type: "layers", diff_ids: diffIds } });
  const digest = createHash("sha256").update(image).digest("hex");
  const id = digest.slice(0, 12);
  const reference = `${repository}:${tag ?? id}`;
  const names = layers.map((layer) => `${layer.digest}.tar`);
  const manifest = JSON.stringify([{ Config: `${digest}.json`, RepoTags: [reference], Layers: names }]);
  return {
    id,
    reference,
    files: { "manifest.json": manifest, [`${digest}.json`]: image },
    layers: Object.fromEntries(layers.map((layer) => [`${layer.digest}.tar`, layer.file])),
  };
}
