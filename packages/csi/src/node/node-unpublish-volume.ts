import { rmdir } from "node:fs/promises";
import { resolve } from "node:path";
import { status } from "@grpc/grpc-js";
import type { Handler } from "../grpc/handler.ts";
import { invalidArgument, RpcError } from "../grpc/rpc-error.ts";
import { mountedAt } from "./mountinfo.ts";
import type { Mounts } from "./mounts.ts";
import type { NodeVolumes } from "./node-publish-volume.ts";

/** Undoes NodePublishVolume. What is not there any more counts as undone: the kubelet asks again after each restart of its own. */
export const nodeUnpublishVolume =
  ({ mounts, locks }: NodeVolumes): Handler =>
  async (message, { signal }) => {
    if (message.string("volumeId") === "") throw invalidArgument("volume_id is missing");
    const target = message.string("targetPath");
    if (target === "") throw invalidArgument("target_path is missing");
    if (target !== resolve(target)) throw invalidArgument(`target_path ${JSON.stringify(target)} is not an absolute, plain path`);
    await locks.run(target, signal, async () => {
      await unmountAll(mounts, target);
      await removeFolder(target);
    });
    return {};
  };

/** A target may carry several mounts on top of each other, left by a driver that was killed at the wrong moment. */
async function unmountAll(mounts: Mounts, target: string): Promise<void> {
  while (mountedAt(await mounts.list(), target) !== undefined) {
    await mounts.unmount(target).catch((cause: unknown) => {
      throw new RpcError(status.INTERNAL, cause instanceof Error ? cause.message : String(cause), cause);
    });
  }
}

/** Never recursive: if the unmount had not really happened, this would delete a database. */
async function removeFolder(target: string): Promise<void> {
  await rmdir(target).catch((cause: unknown) => {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return;
    throw new RpcError(status.INTERNAL, `cannot remove ${target}: ${String(cause)}`, cause);
  });
}
