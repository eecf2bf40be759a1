import { status } from "@grpc/grpc-js";
import type { Message } from "../grpc/message.ts";
import { invalidArgument, RpcError } from "../grpc/rpc-error.ts";

export interface CapacityRange {
  /** 0: any size. */
  readonly requiredBytes: number;
  /** 0: no limit. */
  readonly limitBytes: number;
}

/**
 * How large a volume is to be. A VDB shares the pool with all others and grows as long as the pool has room, so a size is what
 * Kubernetes counts and compares, not a bound on what can be written.
 */
export function capacityRangeOf(message: Message): CapacityRange {
  const range = message.message("capacityRange");
  const [requiredBytes, limitBytes] = [range?.number("requiredBytes") ?? 0, range?.number("limitBytes") ?? 0];
  if (requiredBytes < 0 || limitBytes < 0) throw invalidArgument("capacity_range contains a negative number");
  assertWithin(requiredBytes, limitBytes);
  return { requiredBytes, limitBytes };
}

export function assertWithin(bytes: number, limitBytes: number): void {
  if (limitBytes > 0 && bytes > limitBytes)
    throw new RpcError(status.OUT_OF_RANGE, `a volume of ${bytes} bytes exceeds the limit of ${limitBytes} bytes`);
}
