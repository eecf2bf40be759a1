import { mkdir, rmdir } from "node:fs/promises";
import { resolve } from "node:path";
import { status } from "@grpc/grpc-js";
import type { Handler } from "../grpc/handler.ts";
import type { KeyedLock } from "../grpc/keyed-lock.ts";
import type { Message } from "../grpc/message.ts";
import { invalidArgument, RpcError } from "../grpc/rpc-error.ts";
import { objection } from "../volume-capability.ts";
import { exportedDirectoryKey, exportedHostKey, exportedPoolKey, nfsVersionKey } from "../volume-context.ts";
import { exportedPath, folderData, type Volume } from "./exported-path.ts";
import { type MountEntry, mountedAt } from "./mountinfo.ts";
import type { Mounts } from "./mounts.ts";
import { type NfsVolume, nfsData } from "./nfs-export.ts";
import type { VolumeData } from "./volume-data.ts";

export interface NodeVolumes {
  readonly mounts: Mounts;
  readonly poolDir: string;
  /** Mounts below it are this driver's own, on their way to a target. */
  readonly stageDir: string;
  /** One call at a time for each target: the kubelet repeats calls that timed out while they still run. */
  readonly locks: KeyedLock;
}

interface Request {
  readonly target: string;
  readonly readOnly: boolean;
  /** No other target on this node may show the volume: what ReadWriteOncePod means. */
  readonly alone: boolean;
  readonly volume: Volume | NfsVolume;
}

/**
 * Mounts the folder that the engine exports where the pod's volume is expected.
 * Called again for a target that shows the same folder already, it changes nothing.
 */
export const nodePublishVolume =
  ({ mounts, poolDir, stageDir, locks }: NodeVolumes): Handler =>
  async (message, { signal }) => {
    const { target, readOnly, alone, volume } = decode(message);
    await locks.run(target, signal, async () => {
      const list = await mounts.list();
      const data = "host" in volume ? nfsData(volume, mounts) : folderData(await exportedPath(volume, poolDir, list), mounts);
      if (alone) assertAlone(list, data, target, stageDir);
      const present = mountedAt(list, target);
      if (present === undefined) await publish(data, target, readOnly);
      else assertSame(present, data, readOnly);
    });
    return {};
  };

function decode(message: Message): Request {
  if (message.string("volumeId") === "") throw invalidArgument("volume_id is missing");
  const target = message.string("targetPath");
  if (target === "") throw invalidArgument("target_path is missing");
  if (target !== resolve(target)) throw invalidArgument(`target_path ${JSON.stringify(target)} is not an absolute, plain path`);
  const capability = message.message("volumeCapability");
  if (capability === undefined) throw invalidArgument("volume_capability is missing");
  const problem = objection(capability);
  if (problem !== undefined) throw invalidArgument(problem);
  const context = message.strings("volumeContext");
  const { [exportedDirectoryKey]: directory = "", [exportedPoolKey]: pool, [exportedHostKey]: host } = context;
  if (directory === "")
    throw invalidArgument(`volume_context lacks ${exportedDirectoryKey}: this driver did not create the volume`);
  const alone = capability.message("accessMode")?.string("mode") === "SINGLE_NODE_SINGLE_WRITER";
  const mountFlags = capability.message("mount")?.texts("mountFlags") ?? [];
  const volume = host === undefined ? { directory, pool } : { host, directory, version: context[nfsVersionKey], mountFlags };
  return { target, readOnly: message.boolean("readonly"), alone, volume };
}

async function publish(data: VolumeData, target: string, readOnly: boolean): Promise<void> {
  await mkdir(target, { recursive: true, mode: 0o750 });
  try {
    await data.mount(target, { readOnly });
  } catch (cause) {
    // An empty folder without a mount must not stay: a container would start on it. The error that is told is the mount's.
    await rmdir(target).catch(() => undefined);
    throw new RpcError(status.INTERNAL, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function assertAlone(list: readonly MountEntry[], data: VolumeData, target: string, stageDir: string): void {
  const other = list.find(
    (one) => data.isShownBy(one) && one.mountPoint !== target && !one.mountPoint.startsWith(`${stageDir}/`),
  );
  if (other === undefined) return;
  throw new RpcError(
    status.FAILED_PRECONDITION,
    `the volume is in use at ${other.mountPoint}, and its claim has access mode ReadWriteOncePod: stop the other pod first`,
  );
}

function assertSame(present: MountEntry, data: VolumeData, readOnly: boolean): void {
  if (!data.isShownBy(present))
    throw new RpcError(status.ALREADY_EXISTS, `${present.mountPoint} is a mount of ${present.root}, not of ${data.name}`);
  if (present.readOnly !== readOnly)
    throw new RpcError(
      status.ALREADY_EXISTS,
      `${present.mountPoint} is already published as ${present.readOnly ? "read-only" : "writable"}`,
    );
}
