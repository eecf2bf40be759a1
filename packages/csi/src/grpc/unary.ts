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
/** They read, and are asked for again and again while nothing happens: worth a line only when something is wrong. */
const quiet: ReadonlySet<string> = new Set([
  "Probe",
  "GetPluginInfo",
  "GetPluginCapabilities",
  "ControllerGetCapabilities",
  "NodeGetCapabilities",
  "NodeGetVolumeStats",
  "GetCapacity",
  "ControllerGetVolume",
  "ListVolumes",
  "ListSnapshots",
]);

/** Brings a handler to gRPC: one line of log and one status for each call, and never a secret in either. */
export function unary(method: string, handler: Handler, { log, stopping }: UnaryOptions): handleUnaryCall<unknown, unknown> {
  return (call, callback) => {
    const from = performance.now();
    const message = messageOf(call.request);
    const gaveUp = new AbortController();
    call.on("cancelled", () => gaveUp.abort(new RpcError(status.CANCELLED, "the caller gave up")));
    const signal = AbortSignal.any([gaveUp.signal, stopping]);
    const told: Record<string, unknown> = subject(message);
    const tell: Call["tell"] = (fields) => void Object.assign(told, fields);
    const facts = (): object => ({ method, ...told, seconds: Math.round(performance.now() - from) / 1000 });
    const answer = async (): Promise<void> => {
      try {
        const response = await handler(message, { signal, secondsLeft: secondsLeft(call), tell });
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

/**
 * Secrets are fields of the same messages: of a request a line of log names the objects alone. A volume's handle is the id of its VDB,
 * which operator and engine call so too.
 */
function subject(message: Message): Record<string, unknown> {
  const parameters = message.strings("parameters");
  const owner = (kind: string): string | undefined => {
    const [namespace, name] = ["namespace", "name"].map((field) => parameters[`csi.storage.k8s.io/${kind}/${field}`]);
    return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`;
  };
  return {
    delphixID: message.string("volumeId") || message.string("sourceVolumeId") || undefined,
    snapshot: message.string("snapshotId") || undefined,
    name: message.string("name") || undefined,
    claim: owner("pvc"),
    volumeSnapshot: owner("volumesnapshot"),
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
