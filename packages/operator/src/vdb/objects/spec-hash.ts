import { createHash } from "node:crypto";
import type { KubeObject, Manifest } from "kube-runtime";

const hashAnnotation = "postgresvdb.core.delphix.com/spec-hash";

/**
 * A manifest that carries the hash of what it says. The API server fills in defaults and rewrites quantities, so that what comes
 * back cannot be compared with what was sent; the hash can. It also tells of a field that the manifest has lost since.
 */
export function withHash<T extends KubeObject>(manifest: Manifest<T>): Manifest<T> {
  const hash = createHash("sha256").update(JSON.stringify(manifest)).digest("hex").slice(0, 16);
  const annotations = { ...manifest.metadata.annotations, [hashAnnotation]: hash };
  return { ...manifest, metadata: { ...manifest.metadata, annotations } };
}
