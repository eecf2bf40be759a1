import type { Message } from "./grpc/message.ts";
import { invalidArgument } from "./grpc/rpc-error.ts";

/** The volume that a request is about: the id of a VDB in DCT. */
export function volumeIdOf(message: Message): string {
  const id = message.string("volumeId");
  if (id === "") throw invalidArgument("volume_id is missing");
  return id;
}
