import { type Client, defineResource, type KubeObject, persistentVolumes } from "kube-runtime";

/** Who attaches a volume; undefined: it has no CSI driver. */
export type Attacher = "kubernetes" | "driver" | undefined;
export type Attachers = (client: Client, volume: string, signal: AbortSignal) => Promise<Attacher>;

interface CsiDriver extends KubeObject {
  readonly spec: { readonly attachRequired?: boolean };
}
export const csiDrivers = defineResource<CsiDriver>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIDriver",
  plural: "csidrivers",
  namespaced: false,
});

/** A volume keeps its driver, and a driver its way for as long as its CSIDriver lives: another one is noticed so late. */
const knownMs = 60_000;
const mostKnown = 4096;

/**
 * Kubernetes attaches unless the CSIDriver says attachRequired: false. What is found is known for a minute: a stop and a start that
 * follow each other ask once.
 */
export function createAttachers(nowMs: () => number = () => performance.now()): Attachers {
  const known = new Map<string, { readonly attacher: Attacher; readonly atMs: number }>();
  return async (client, volume, signal) => {
    const found = known.get(volume);
    if (found !== undefined && nowMs() - found.atMs < knownMs) return found.attacher;
    const driver = (await client.find(persistentVolumes, { name: volume }, signal))?.spec.csi?.driver;
    if (driver === undefined) return undefined;
    const kind = await client.find(csiDrivers, { name: driver }, signal);
    const attacher = kind?.spec.attachRequired === false ? "driver" : "kubernetes";
    known.delete(volume); // to the end: the oldest are forgotten first
    if (kind !== undefined) known.set(volume, { attacher, atMs: nowMs() });
    for (const [oldest] of known) if (known.size > mostKnown) known.delete(oldest);
    return attacher;
  };
}
