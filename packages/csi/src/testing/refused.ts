import { equal, match, ok } from "node:assert/strict";
import { status } from "@grpc/grpc-js";
import { RpcError } from "../grpc/rpc-error.ts";

/** For `rejects`: an RpcError of this code, in such words. */
export const refused = (code: status, message: RegExp) => (error: unknown) => {
  ok(error instanceof RpcError, String(error));
  equal(status[error.code], status[code]);
  match(error.message, message);
  return true;
};
