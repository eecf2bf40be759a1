import { createHash } from "node:crypto";
import type { Deployment, Manifest } from "kube-runtime";

const hashAnnotation = "postgresvdb.core.delphix.com/spec-hash";

/**
 * A manifest that carries the hash of what it says. The API server fills in defaults and rewrites quantities, so that what comes
 * back cannot be compared with what was sent; the hash can.
 */
export function specHash(manifest: Manifest<Deployment>): {
  readonly manifest: Manifest<Deployment>;
  readonly hash: string;
  readonly hashOf: (deployment: Deployment) => string | undefined;
} {
  const hash = createHash("sha256").update(JSON.stringify(manifest)).digest("hex").slice(0, 16);
  const annotations = { ...manifest.metadata.annotations, [hashAnnotation]: hash };
  return {
    manifest: { ...manifest, metadata: { ...manifest.metadata, annotations } },
    hash,
    hashOf: ({ metadata }) => metadata.annotations?.[hashAnnotation],
  };
}
