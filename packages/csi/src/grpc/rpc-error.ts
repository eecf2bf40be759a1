import { status } from "@grpc/grpc-js";

/**
 * A refusal in the words of CSI. Whether the caller may forget the call is decided by the code, so it is chosen by what may
 * still be going on, not by how bad it is (external-provisioner `checkError`, kubelet `isFinalError`):
 * - CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE, ABORTED: something may be going on or be half made. CreateVolume is called
 *   again until it succeeds, even when the claim is gone by then.
 * - every other code is final: nothing is going on and nothing is left. While the claim stands it is tried again all the same.
 * - INVALID_ARGUMENT, besides, puts the claim on the provisioner's slow list: it is for requests that nobody can mend by
 *   editing the claim's annotations.
 */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: status;

  constructor(code: status, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** True when the caller may forget the call: nothing is going on and nothing is left. */
export function isFinal(code: status): boolean {
  return ![status.CANCELLED, status.DEADLINE_EXCEEDED, status.UNAVAILABLE, status.ABORTED].includes(code);
}

export const invalidArgument = (message: string): RpcError => new RpcError(status.INVALID_ARGUMENT, message);
export const notFound = (message: string): RpcError => new RpcError(status.NOT_FOUND, message);
export const unavailable = (message: string, cause?: unknown): RpcError => new RpcError(status.UNAVAILABLE, message, cause);
