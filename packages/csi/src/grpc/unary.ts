import { type handleUnaryCall, type ServerUnaryCall, status } from "@grpc/grpc-js";
import { DctError, DctNotConfigured } from "@vdb/dct";
import { ApiError, type Log } from "kube-runtime";
import type { Call, Handler } from "./handler.ts";
import { type Message, messageOf } from "./message.ts";
import { RpcError } from "./rpc-error.ts";

export interface UnaryOptions {
  readonly log: Log;
  /** Aborted when the driver stops. */
  readonly stopping: AbortSignal;
}

/** For a caller that sets no deadline; both the kubelet and the sidecars set theirs. */
const defaultSeconds = 120;
/** Asked for every few seconds, and worth a line only when something is wrong. */
const quiet: ReadonlySet<string> = new Set(["Probe", "GetPluginInfo", "GetPluginCapabilities", "NodeGetCapabilities"]);

/** Brings a handler to gRPC: one line of log and one status for each call, and never a secret in either. */
export function unary(method: string, handler: Handler, { log, stopping }: UnaryOptions): handleUnaryCall<unknown, unknown> {
  return (call, callback) => {
    const from = performance.now();
    const message = messageOf(call.request);
    const gaveUp = new AbortController();
    call.on("cancelled", () => gaveUp.abort(new RpcError(status.CANCELLED, "the caller gave up")));
    const signal = AbortSignal.any([gaveUp.signal, stopping]);
    const facts = (): object => ({ method, ...subject(message), seconds: Math.round(performance.now() - from) / 1000 });
    const answer = async (): Promise<void> => {
      try {
        const response = await handler(message, { signal, secondsLeft: secondsLeft(call) });
        log[quiet.has(method) ? "debug" : "info"](facts(), "answered");
        callback(null, response);
      } catch (error) {
        const { code, message: details } = refusal(error, stopping);
        log.warn({ ...facts(), code: status[code], reason: details, ...fault(error) }, "refused");
        callback({ code, details });
      }
    };
    void answer();
  };
}

function secondsLeft(call: ServerUnaryCall<unknown, unknown>): Call["secondsLeft"] {
  const deadline = Number(call.getDeadline());
  return () => (Number.isFinite(deadline) ? (deadline - Date.now()) / 1000 : defaultSeconds);
}

/** Secrets are fields of the same messages: a line of log names the volume and the snapshot, and nothing else of a request. */
function subject(message: Message): object {
  const [volume, snapshot] = [message.string("volumeId"), message.string("snapshotId")];
  const source = message.string("sourceVolumeId");
  const name = message.string("name");
  return {
    ...(volume === "" && source === "" ? {} : { volume: volume || source }),
    ...(snapshot === "" ? {} : { snapshot }),
    ...(name === "" ? {} : { name }),
  };
}

/** What may have run without an answer is never answered by a final code. */
function refusal(error: unknown, stopping: AbortSignal): { readonly code: status; readonly message: string } {
  if (stopping.aborted) return { code: status.UNAVAILABLE, message: "the driver stops: call again" };
  if (error instanceof RpcError) return error;
  if (isOutside(error)) return { code: status.UNAVAILABLE, message: error.message };
  const words = error instanceof Error ? error.message : String(error);
  return { code: status.ABORTED, message: `unexpected error in the driver, see its log: ${words}` };
}

/** What DCT and the API server answer, or do not: nothing of the driver's own is wrong. */
const isOutside = (error: unknown): error is Error =>
  error instanceof DctError || error instanceof DctNotConfigured || error instanceof ApiError;

const fault = (error: unknown): object =>
  error instanceof RpcError || isOutside(error) || !(error instanceof Error) ? {} : { stack: error.stack };
